"""A model trained on your own pictures, and used.

    python examples/train.py PHOTOS PAINTINGS RUN [IMAGES]

RUN is the folder of the run; IMAGES cuts it short.
"""

import sys
from dataclasses import replace

import sfumato
from sfumato import recipes
from sfumato.progress import Progress


def main() -> None:
    photos, paintings, run, *images = sys.argv[1:]
    recipe = recipes.find("microast.art")
    recipe = replace(recipe, data=replace(recipe.data, content=(photos,), style=(paintings,)))
    if images:
        recipe = replace(recipe, images=int(images[0]))
    with Progress("images") as progress:
        models = sfumato.train(recipe, run, progress=progress)  # the same call again goes on where this one stopped
    model = sfumato.load(models["art"])
    print(models["art"], sum(p.numel() for p in model.parameters()), "parameters")


if __name__ == "__main__":
    main()
