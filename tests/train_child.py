"""Trains in a process of its own: python train_child.py NAMES DATA RUN [FIELD=VALUE ...], each recipe in RUN/NAME."""

import ast
import dataclasses
import os
import sys
from pathlib import Path
from typing import Any

import torch
import toy
from figures import write_set

from sfumato.data.domains import Unpaired
from sfumato.data.folders import Crops
from sfumato.errors import SfumatoError
from sfumato.nets.vgg import CompactVGG
from sfumato.recipes import (
    cut,
    cyclegan,
    hrnet,
    microast,
    pix2pix,
    sketchygan,
    style2paints,
    stytr2,
    texture_nets,
    ugatit,
    vgg,
)
from sfumato.train import Recipe, train


def judge(data: Path) -> str:
    """A file with a small VGG of random weights."""
    path = data / "judge.pth"
    if not path.exists():
        torch.manual_seed(0)
        torch.save(CompactVGG((4, 4, 4, 4, 4)).state_dict(), path)
    return str(path)


GANS = {
    "cyclegan": (cyclegan, {"norm": "batch", "label_noise": 0.2, "embedding_weight": 0.5, "pool": 6}),
    "cut": (cut, {"augment": "color shift cut"}),
    "ugatit": (ugatit, {}),
    "pix2pix": (pix2pix, {}),
}
"""Recipes of two kinds of pictures, with what draws at random and what looks at the whole batch."""


STYLIZERS = {"microast": microast, "stytr2": stytr2}
"""Recipes of contents and styles."""


def stylizer(name: str, data: Path) -> Recipe:
    """The tiny recipe of a method of contents and styles."""
    tiny = STYLIZERS[name].tiny()
    method = dataclasses.replace(tiny.method, perceptual=(judge(data),))
    return dataclasses.replace(
        tiny, method=method, data=dataclasses.replace(toy.recipe(data).data, size=32), batch=4, log_every=4
    )


def textures(data: Path) -> Recipe:
    """The tiny recipe of a texture between several swatches, with statistics of the batch and a term of all of it."""
    tiny, folders = texture_nets.tiny(), toy.recipe(data).data
    method = dataclasses.replace(tiny.method, perceptual=(judge(data),))
    swatches = dataclasses.replace(tiny.data, style=folders.style)
    return dataclasses.replace(tiny, method=method, data=swatches, batch=4, images=16, log_every=4)


def colors(data: Path) -> Recipe:
    """The tiny recipe of drawings in colour, before, within and after the shift to the judge."""
    tiny, folders = style2paints.tiny(), toy.recipe(data).data
    method = dataclasses.replace(tiny.method, shift_start=4, shift_images=8, augment="color shift cut")
    drawings = dataclasses.replace(tiny.data, images=folders.content)
    return dataclasses.replace(tiny, method=method, data=drawings, batch=4, images=16, log_every=4)


def gan(name: str, data: Path) -> Recipe:
    """The tiny recipe of a method of two kinds of pictures; `pix2pix` is taught by pictures and themselves."""
    module, method = GANS[name]
    made, folders = module.tiny(), toy.recipe(data).data
    sides = {"a": folders.content, "b": folders.content if name == "pix2pix" else folders.style}
    return dataclasses.replace(
        made,
        method=dataclasses.replace(made.method, **method),
        data=dataclasses.replace(made.data, **sides, **({"jitter": 0.1} if isinstance(made.data, Unpaired) else {})),
        batch=4,
        images=16,
        log_every=4,
    )


def sketches(data: Path) -> Recipe:
    """The tiny recipe of sketches, with two classes and all that draws at random."""
    made, folders = sketchygan.tiny(), toy.recipe(data).data
    return dataclasses.replace(
        made,
        method=dataclasses.replace(
            made.method,
            classes=("one", "other"),
            penalty="dragan",
            augment="color shift cut",
            perceptual=(judge(data),),
        ),
        data=dataclasses.replace(made.data, photos=(*folders.content, *folders.style), jitter=0.1),
        batch=4,
        images=16,
        log_every=4,
    )


def poses(data: Path) -> Recipe:
    """The tiny recipe of poses, on stick figures; its normalisations look at the whole batch."""
    made, root = hrnet.tiny(), data / "figures"
    if not root.exists():
        write_set(root, 6)
    return dataclasses.replace(
        made, data=dataclasses.replace(made.data, root=(str(root),)), batch=4, images=16, log_every=4
    )


def recipe_of(name: str, data: Path, **changes: Any) -> Recipe:
    """The tiny recipe of that name, on made pictures."""
    recipe = toy.recipe(data)
    if name in STYLIZERS:
        recipe = stylizer(name, data)
    elif name == "vgg":
        tiny = vgg.tiny()
        method = dataclasses.replace(tiny.method, teachers=(judge(data),))
        crops = Crops(images=recipe.data.content, size=32, shorter=(32, 40))
        recipe = dataclasses.replace(tiny, method=method, data=crops, batch=4, log_every=4)
    elif name in GANS:
        recipe = gan(name, data)
    elif name == "sketchygan":
        recipe = sketches(data)
    elif name == "texture_nets":
        recipe = textures(data)
    elif name == "style2paints":
        recipe = colors(data)
    elif name == "hrnet":
        recipe = poses(data)
    if pause := changes.pop("pause_s", 0):
        recipe = dataclasses.replace(recipe, method=dataclasses.replace(recipe.method, pause_s=pause))
    return dataclasses.replace(recipe, **changes)


def main() -> None:
    names, data, run, *words = sys.argv[1:]
    changes = {key: ast.literal_eval(value) for key, value in (word.split("=") for word in words)}
    halves = "RANK" in os.environ
    if halves:  # once for all recipes
        torch.distributed.init_process_group("gloo")
    try:
        for name in names.split(","):
            recipe = recipe_of(name, Path(data), **changes)
            if halves:
                train(recipe, Path(run) / name, device="cpu", until=recipe.images // 2)
            train(recipe, Path(run) / name, device="cpu")
    except SfumatoError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    if halves:
        torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
