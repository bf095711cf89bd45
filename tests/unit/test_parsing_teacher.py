"""The teacher of face and hair: what it sees, how samples vary, and that it learns."""

import runpy

import cv2
import numpy as np
import pytest
import torch

from sfumato.parts import PARTS


@pytest.fixture(scope="module")
def tool(repository):
    return runpy.run_path(str(repository / "tools" / "parsing_teacher.py"))


def test_logits_have_the_size_of_pictures(tool):
    found = tool["Teacher"]().eval()(torch.rand(2, 9, 64, 96))
    assert found.shape == (2, 3, 64, 96)


def test_pictures_and_masks_move_together(tool):
    masks = torch.zeros(6, 256, 256, dtype=torch.long)
    masks[:, 64:160, 96:224] = 1
    pictures = masks[:, None].float().repeat(1, 9, 1, 1)
    torch.manual_seed(0)
    seen, labels = tool["varied"](pictures, masks)
    known = labels != tool["UNKNOWN"]
    assert 0.5 < float(known.float().mean()) < 1
    hints = seen[:, 3:].amax(1)[known]  # of nine, some are left out, rarely all
    agree = (hints > 0.5) == (labels[known] == 1)
    assert float(agree.float().mean()) > 0.98


def test_mirrored_pictures_vote_as_well(tool):
    teacher = tool["Teacher"]().eval()
    picture = torch.rand(1, 9, 64, 64)
    found = tool["shares"]([teacher], picture)
    assert torch.allclose(found, tool["shares"]([teacher], picture.flip(3)).flip(3), atol=1e-5)
    assert torch.allclose(found.sum(1), torch.ones(1, 64, 64), atol=1e-5)


def test_crumbs_are_doubted(tool):
    mask = np.zeros((64, 64), np.uint8)
    mask[8:40, 8:40], mask[50:54, 50:54], mask[44:60, 4:20] = 2, 2, 11
    kept = tool["without_crumbs"](mask)
    assert (kept[50:54, 50:54] == 255).all()
    assert (kept == mask).sum() == mask.size - 16


def test_it_learns_and_labels(tool, real_data, tmp_path):
    root = tmp_path / "set"
    photographs = sorted((real_data / "faces_photo" / "sfhq_mit_synthetic").glob("*.jpg"))[:3]
    for part in ("images", "masks"):
        (root / part).mkdir(parents=True)
    for path in photographs[:2]:
        (root / "images" / path.name).write_bytes(path.read_bytes())
        mask = np.zeros(cv2.imread(str(path)).shape[:2], np.uint8)
        mask[80:200, 80:180] = PARTS.index("face")
        cv2.imwrite(str(root / "masks" / f"{path.stem}.png"), mask)
    tool["learn"](root, tmp_path / "teacher.pt", hold_out=0.0, seed=1, steps=3)
    more = tmp_path / "more"
    more.mkdir()
    for path in photographs[1:]:
        (more / path.name).write_bytes(path.read_bytes())
    tool["label"]([tmp_path / "teacher.pt"], [more], tmp_path / "taught", [root])
    made = list((tmp_path / "taught" / "masks").iterdir())
    assert [path.stem for path in made] == [f"more-{photographs[2].stem}"]
    assert set(np.unique(cv2.imread(str(made[0]), cv2.IMREAD_GRAYSCALE))) <= {0, 2, 11, 255}
