"""Training steps of SketchyGAN and style2paints against plain transcriptions of the papers' networks and losses.

    python benchmarks/steps.py [--repeats 5] [--cases sketchygan style2paints-judged ...]
    python benchmarks/steps.py --device cuda --name steps-gpu

Plain: `plain_sketchygan.py` and `plain_style2paints.py`, float32, eager, contiguous. Ours: the trainer's own step in
float32, and in bf16 where the device has units for it. The sides take turns; a step is the median of `--repeats` after
two to warm up. Both have the same weights and the same batch, and before anything is timed every term of the first
step must agree to 2e-5 of its size. Averages of weights are left out on both sides; the plain side is given distance
fields, which ours makes of the sketches. The last tables tell where the time of our step goes.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import report
import torch
from gan import fast, medians, operations, said
from plain_sketchygan import SketchyGAN
from plain_style2paints import Style2Paints
from torch import Tensor, nn

from sfumato import device
from sfumato.methods.base import signed
from sfumato.methods.sketchygan import seen
from sfumato.nets.spectral import Spectral
from sfumato.recipes import sketchygan as sketchygan_recipes
from sfumato.recipes import style2paints as style2paints_recipes
from sfumato.train.loop import prepare
from sfumato.train.recipe import Recipe
from sfumato.train.state import State

AGREE = 2e-5
"""Most that a term of the first step may differ, as a share."""
SHOWN = 12
"""Operations of the profile."""


@dataclass(frozen=True)
class Case:
    """A step to be timed: a recipe, and how many images it has seen."""

    recipe: Recipe
    size: int
    seen: int = 0


def wide() -> Recipe:
    """The authors' widths, four pictures."""
    recipe = sketchygan_recipes.sketchy50()
    return replace(recipe, batch=4)


def cases() -> dict[str, Case]:
    """By name: recipes as they are, style2paints before and after its shift, and SketchyGAN in the authors' widths."""
    small, faces = sketchygan_recipes.small(), style2paints_recipes.faces_fine()
    adam = {name: replace(optimizer, muon=0.0) for name, optimizer in faces.optimizers.items()}
    faces = replace(faces, optimizers=adam)  # the paper has one; the plain side has torch.optim.Adam
    return {
        "sketchygan": Case(small, 64),
        "sketchygan-paper": Case(wide(), 64),
        "style2paints": Case(faces, 128),
        "style2paints-judged": Case(faces, 128, faces.method.shift_start + faces.method.shift_images // 2),
    }


def batch(recipe: Recipe, size: int) -> dict[str, Tensor]:
    """A made batch as the data would give it: uint8 pictures, and classes."""
    draw, count = torch.Generator().manual_seed(0), recipe.batch
    soft = torch.rand(3 * count, 3, 8, 8, generator=draw)
    pictures = nn.functional.interpolate(soft, (size, size), mode="bicubic").clamp(0, 1).mul(255).round().byte()
    lines = 255 * (torch.rand(count, 1, size, size, generator=draw) > 0.02).byte()
    photo, real, style = pictures.chunk(3)
    classes = getattr(recipe.method, "classes", None)
    if classes is None:
        known = (torch.rand(count, 1, size, size, generator=draw) > 0.99).byte()
        return {"sketch": lines, "color": photo, "style": style, "points": torch.cat((255 * known, photo * known), 1)}
    label = torch.eye(len(classes))[torch.randint(len(classes), (count,), generator=draw)]
    return {"sketch": lines.expand(-1, 3, -1, -1), "photo": photo, "label": label, "real": real, "real_label": label}


def ours(case: Case, precision: str, place: torch.device) -> State:
    state = State(replace(case.recipe, precision=precision, ema_images=0), place)
    state.seen = case.seen
    return state


def plain_of(state: State, case: Case, place: torch.device) -> tuple[SketchyGAN | Style2Paints, Callable[[], object]]:
    """The plain formulation with the weights of ours, and its step."""
    training, config, pictures = state.training, case.recipe.method, prepare(batch(case.recipe, case.size), place)
    pictures = {key: x.contiguous() for key, x in pictures.items()}
    if "label" in pictures:
        gan = SketchyGAN(config)
        pairs = [(gan.generator, training.sketch2photo.network), (gan.judge, training.judge)]
        field = seen(pictures["sketch"]).contiguous()
        pictures |= {side: signed(pictures[side]) for side in ("photo", "real")}
        gan.look.to(place)
        step: Callable[[], object] = partial(gan.step, field, pictures)
        found: SketchyGAN | Style2Paints = gan
    else:
        training.seen = case.seen
        shift = training.shift
        painter = Style2Paints(config, training.model.hints, case.recipe.optimizers["generator"].clip)
        pairs = [(painter.network, training.model.network), (painter.guides, training.guides)]
        pairs += [(painter.judge, training.judge)]
        step, found = partial(painter.step, pictures, shift), painter
    for theirs, own in pairs:
        theirs.to(place).load_state_dict(by_torch(own))
    return found, step


def by_torch(network: nn.Module) -> dict[str, Tensor]:
    """The state of a network of ours in torch's own keys and orders: of those with spectral normalisation."""
    state = {key: x.clone().contiguous() for key, x in network.state_dict().items()}
    for name, layer in network.named_modules():
        if isinstance(layer, Spectral):
            kernel = getattr(layer, "kernel", 1)
            weight, u, v = (state.pop(f"{name}.{part}") for part in ("weight", "u", "v"))
            filters, row = (x.unflatten(-1, (kernel, kernel, -1)).movedim(-1, -3).contiguous() for x in (weight, v))
            state |= {f"{name}.weight_orig": filters if hasattr(layer, "kernel") else weight}
            state |= {f"{name}.weight_u": u, f"{name}.weight_v": row.flatten()}
    return state


def agreed(name: str, case: Case, place: torch.device) -> list[report.Row]:
    """Every term of the first step from the same weights.

    Raises:
        ArithmeticError: a term is not the same on both sides.
    """
    state = ours(case, "fp32", place)
    plain, step = plain_of(state, case, place)
    state._seed_noise()
    step()
    found = state.step(prepare(batch(case.recipe, case.size), place))
    rows = []
    for term, loss in plain.losses.items():
        theirs, own = loss.item(), found[term].item()
        rows.append({"case": name, "term": term, "plain": theirs, "ours": own, "off by": abs(own / theirs - 1)})
        if rows[-1]["off by"] > AGREE:
            raise ArithmeticError(f"{name}: {term} is {own}, plain {theirs}")
    return rows


def measure(name: str, case: Case, repeats: int, place: torch.device) -> report.Row:
    """Medians of a step, the sides in turn."""
    states = {"fp32": ours(case, "fp32", place)}
    if fast(place) == "bf16":
        states["bf16"] = ours(case, "bf16", place)
    calls = {"plain": plain_of(states["fp32"], case, place)[1]}
    for precision, state in states.items():
        calls[precision] = stepping(state, case, place)
    found = medians(calls, repeats, place)
    row = {"case": name, "size": case.size, "batch": case.recipe.batch, "plain s": found["plain"]}
    row |= {"fp32 s": found["fp32"], "bf16 s": found.get("bf16", "no bf16 units")}
    row |= {"fp32: faster": found["plain"] / found["fp32"]}
    return said(row | {"bf16: faster": found["plain"] / found["bf16"] if "bf16" in found else "-"})


def stepping(state: State, case: Case, place: torch.device) -> Callable[[], object]:
    """The trainer's step, at always the same place of the run."""
    pictures = batch(case.recipe, case.size)

    def step() -> None:
        state.seen = case.seen
        state.step(prepare(pictures, place))

    return step


def profile(case: Case, place: torch.device) -> list[report.Row]:
    """Where the time of our step goes: kernels of a GPU, operations of a CPU."""
    step = stepping(ours(case, fast(place), place), case, place)
    step()
    return operations(step, place)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", default="steps", help="of the results; another for another machine")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--cases", nargs="+", default=list(cases()), choices=list(cases()))
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    place, known = device.pick(given.device), cases()
    device.keep_memory()
    equal = [row for name in given.cases for row in agreed(name, known[name], place)]
    tables = {
        "a training step": [measure(name, known[name], given.repeats, place) for name in given.cases],
        "equality of the first step": equal,
    }
    for name in given.cases:
        tables[f"profile of {name}"] = profile(known[name], place)
    report.show(given.name, tables)


if __name__ == "__main__":
    main()
