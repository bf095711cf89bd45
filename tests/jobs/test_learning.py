"""A real run learns: discs of one look become those of another, within a minute on a CPU."""

import pytest
import shapes
import torch

from sfumato import train
from sfumato.metrics.features import Judge
from sfumato.metrics.fid import frechet_distance
from sfumato.train.log import read_log
from sfumato.train.watch import chunks

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
