"""What comes before and after HRNet against the authors' code: crops, targets, decoding, loss, suppression."""

import numpy as np
import pytest
import torch
from parity.conftest import FOLDER
from parity.golden.fill import golden_fill

from sfumato.data import keypoints, person_crop
from sfumato.data.person_crop import Region
from sfumato.losses.heatmaps import joints_mse
from sfumato.metrics import oks
from sfumato.nets import heatmaps


@pytest.fixture(scope="module")
def recorded():
    return np.load(FOLDER / "hrnet_post.npz", allow_pickle=False)


def near(ours, theirs, tolerance=1e-4):
    np.testing.assert_allclose(ours, theirs, atol=tolerance, rtol=tolerance)


def test_crop_matrices(recorded):
    for row, matrix, back in zip(recorded["affine_in"], recorded["affine"], recorded["affine_inv"], strict=True):
        region = Region(center=tuple(row[:2]), size=tuple(200 * row[2:4]), angle_deg=row[4])
        ours = person_crop.affine(region, (int(row[6]), int(row[5])), "msra")
        near(ours, matrix, 2e-4)
        near(person_crop.inverse(ours)[:2], back, 2e-3)


def test_regions_of_boxes(recorded):
    for box, center, scale in zip(recorded["box"], recorded["box_center"], recorded["box_scale"], strict=True):
        region = person_crop.around(box, (256, 192))
        near(region.center, center)
        near(np.array(region.size) / 200, scale)


@pytest.mark.parametrize("half", ["upper", "lower"])
def test_half_a_figure(recorded, half):
    joints, known = np.abs(recorded["target_joints"][:, :2]), recorded["target_vis"][:, 0] > 0
    upper = np.isin(np.arange(17), keypoints.UPPER)
    region = person_crop.about_half(joints, known & (upper if half == "upper" else ~upper), (256, 192))
    near(region.center, recorded[f"half_{half}_center"])
    near(np.array(region.size) / 200, recorded[f"half_{half}_scale"])


@pytest.mark.parametrize(("width", "height", "sigma"), [(192, 256, 2), (288, 384, 3)])
def test_targets(recorded, width, height, sigma):
    joints = torch.from_numpy(recorded["target_joints"][None, :, :2]).float() * (width / 192)  # recorded so
    known = torch.from_numpy(recorded["target_vis"][None, :, 0]).float()
    maps, weights = heatmaps.targets(
        joints, known, picture=(height, width), maps=(height // 4, width // 4), sigma=sigma, system="msra"
    )
    name = f"{width}x{height}_s{sigma}"
    near(weights[0], recorded[f"target_weight_{name}"][:, 0])
    near(maps[0] * weights[0, :, None, None], recorded[f"target_{name}"] * recorded[f"target_weight_{name}"][..., None])


def test_peaks(recorded):
    maps = torch.from_numpy(recorded["final_hm"])
    places, heights = heatmaps.peaks(maps)
    near(places, recorded["max_preds"])
    near(heights[..., None], recorded["final_maxvals"])


@pytest.mark.parametrize(("read", "name"), [("quarter_shift", "final_preds"), ("peaks", "final_preds_nopost")])
def test_places_in_the_picture(recorded, read, name):
    maps = torch.from_numpy(recorded["final_hm"])
    places, _ = getattr(heatmaps, read)(maps)
    for i, (center, scale) in enumerate(zip(recorded["final_center"], recorded["final_scale"], strict=True)):
        region = Region(center=tuple(map(float, center)), size=tuple(map(float, 200 * scale)))
        back = person_crop.inverse(person_crop.affine(region, maps.shape[2:], "msra"))
        near(person_crop.moved(places[i].double().numpy(), back), recorded[name][i], 1e-3)


def test_loss(recorded):
    maps = torch.from_numpy(golden_fill("loss.out", (2, 17, 8, 6)))
    wanted = torch.from_numpy(golden_fill("loss.tgt", (2, 17, 8, 6))).abs()
    weights = torch.from_numpy(recorded["loss_weights"])[..., 0]
    near(joints_mse(maps, wanted, weights), recorded["loss_mse_w"], 1e-6)
    near(joints_mse(maps, wanted), recorded["loss_mse"], 1e-6)


def test_mirrored_joints(recorded):
    joints, known = recorded["target_joints"], recorded["target_vis"]
    width = next(w for w in (192, 256, 288) if w - joints[0, 0] - 1 == recorded["flip_joints"][0, 0])
    ours = keypoints.swapped(joints[:, :2] * (-1, 1) + (width - 1, 0))
    seen = keypoints.swapped(known[:, 0])
    near(ours[seen > 0], recorded["flip_joints"][:, :2][seen > 0], 1e-9)
    near(seen, recorded["flip_vis"][:, 0], 0)


def test_suppression(recorded):
    points = recorded["nms_kpts"].reshape(5, 17, 3)
    for threshold, name in ((0.9, "nms_keep_09"), (0.5, "nms_keep_05")):
        kept = oks.suppressed(points, recorded["nms_score"], recorded["nms_area"], threshold)
        assert kept == recorded[name].tolist()


def test_correct_keypoints(recorded):
    """The authors' accuracy of maps against others, which divides x by the height and y by the width."""
    maps = [torch.from_numpy(np.ascontiguousarray(m)) for m in (recorded["final_hm"], recorded["final_hm"][::-1])]
    found, wanted = (heatmaps.peaks(m)[0].double().numpy() for m in maps)
    height, width = recorded["final_hm"].shape[2:]
    known = (wanted > 1).all(-1)
    labelled = np.concatenate((wanted, known[..., None]), -1)
    share = oks.correct_keypoints(found, labelled, np.tile([height / 10, width / 10], (3, 1)), 0.5)
    near(share[known.any(0)], recorded["acc"][1:][known.any(0)])
