"""A real run learns: discs of one look become those of another, within a minute on a CPU."""

import numpy as np
import pytest
import shapes
import torch
from PIL import Image

import sfumato
from sfumato import train
from sfumato.metrics.features import Judge
from sfumato.metrics.fid import frechet_distance
from sfumato.train.log import read_log
from sfumato.train.state import build
from sfumato.train.translations import chunks

pytestmark = pytest.mark.timeout(400)


def test_the_figure_of_a_small_cyclegan_falls_by_half(tmp_path):
    recipe = shapes.recipe(shapes.folders(tmp_path / "shapes"))
    train(recipe, tmp_path / "run", device="cpu")
    held = {side: torch.stack(list(found)) for side, found in recipe.data.open().held_out(24).items()}
    judge = Judge("compact", torch.device("cpu"))
    untouched = frechet_distance(*(judge(chunks(pictures)) for pictures in held.values()))
    figures = [line["a2b/fd-compact"] for line in read_log(tmp_path / "run" / "log.jsonl")]
    assert min(figures[-2:]) < 0.5 * min(untouched, figures[0])
    assert all(line["b2a/diversity"] > 0.1 for line in read_log(tmp_path / "run" / "log.jsonl")[-1:])


def first_terms(recipe, made=None):
    """The generator's terms of eight samples that no run has seen, and these; of first weights, or of files by name."""
    torch.manual_seed(1)
    training, samples = build(recipe.method), recipe.data.open()
    for name, path in (made or {}).items():
        training.models()[name].load_state_dict(sfumato.load(path).state_dict())
    parts = [samples.sample(99, n) for n in range(8)]
    batch = {key: torch.stack([part[key] for part in parts]) for key in parts[0]}
    batch = {key: x.float() / 255 if x.dtype == torch.uint8 else x for key, x in batch.items()}
    with torch.no_grad():
        return {key: float(term) for key, term in next(iter(training.learn(batch))).items()}, batch


def learned(recipe, folder, term):
    """The model of a run whose term falls to a half of its start and of an untrained model's, and new samples."""
    made = train(recipe, folder, device="cpu")
    losses = [x for line in read_log(folder / "log.jsonl") for key, x in line.items() if key == term]
    (untouched, _), (found, batch) = first_terms(recipe), first_terms(recipe, made)
    name, (path,) = term.partition("/")[2], made.values()
    assert sum(losses[-3:]) / 3 < 0.5 * losses[0]
    assert found[name] < 0.5 * untouched[name]
    return sfumato.load(path).eval(), batch


def blueness(pictures):
    """Blue over red, (B,)."""
    return (pictures[:, 2] - pictures[:, 0]).mean((1, 2))


def test_a_small_stytr2_keeps_pictures_in_their_own_style_and_takes_on_another(tmp_path):
    recipe = shapes.stylizer(shapes.folders(tmp_path / "shapes", 24))
    model, batch = learned(recipe, tmp_path / "run", "stylizer/identity")
    with torch.inference_mode():
        light, dark = (model(x, x).mean((1, 2, 3)) for x in (batch["content"], batch["style"]))
        styled = model(batch["content"], batch["style"])
    assert bool((light > dark + 0.3).all())
    wanted, before = ((styled - x).mean((2, 3)).abs().mean() for x in (batch["style"], batch["content"]))
    assert wanted < 0.3 * before


def test_a_small_texture_network_has_the_colours_of_its_swatch(tmp_path):
    recipe = shapes.texture(shapes.folders(tmp_path / "shapes", 1))
    model, batch = learned(recipe, tmp_path / "run", "generator/style")
    made, swatch = model.texture(40, count=4), batch["style"][:1]
    assert (made.mean((2, 3)) - swatch.mean((2, 3))).abs().max() < 0.1


def test_a_small_sketchygan_paints_classes_in_their_colours(tmp_path):
    recipe = shapes.sketches(shapes.folders(tmp_path / "shapes", 24))
    model, batch = learned(recipe, tmp_path / "run", "generator/pixel")
    with torch.inference_mode():
        red, blue = (model(batch["sketch"], label) for label in (0, 1))
    assert bool((blueness(red) < blueness(blue) - 0.05).all())


def test_a_small_style2paints_paints_in_the_colours_of_a_style(tmp_path):
    sides = shapes.folders(tmp_path / "shapes", 24)
    model, batch = learned(shapes.colors(sides), tmp_path / "run", "generator/pixel")
    files = [Image.open(f"{sides[side][0]}/0.png") for side in "ab"]
    styles = (torch.from_numpy(np.array(file)).permute(2, 0, 1)[None] / 255 for file in files)
    with torch.inference_mode():
        light, dark = (model(batch["sketch"], style.expand(8, -1, -1, -1)).mean((1, 2, 3)) for style in styles)
    assert bool((light > dark + 0.3).all())
