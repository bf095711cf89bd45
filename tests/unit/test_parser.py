"""A parser at work: what a network says comes to the picture's pixels, and is measured."""

import dataclasses
import json
import math

import cv2
import numpy as np
import pytest
import torch
from people import FACE, HAIR, person, write_people
from PIL import Image

import sfumato
from sfumato import image
from sfumato.data.faces import detect
from sfumato.errors import Cancelled, DataError, OptionError, PictureError, WeightsError
from sfumato.image import Box
from sfumato.methods import segformer
from sfumato.parsing import PartParser, Parts, evaluate_parts
from sfumato.parsing import parser as parsers
from sfumato.parsing.views import View, layers
from sfumato.parts import PARTS
from sfumato.recipes.segformer import tiny
from sfumato.translate import precision

SKIN, SHIRT = (230, 180, 150), (40, 90, 200)


class Knowing(torch.nn.Module):
    """In place of a network: it knows the made pictures' colours, cell by cell."""

    def forward(self, images):
        cells = torch.nn.functional.avg_pool2d(images, 4, ceil_mode=True) * 255
        shades = [(190, 190, 190), (50, 50, 50), SKIN, SHIRT, (250, 120, 90), (90, 200, 120)]
        far = torch.stack([(cells - cells.new_tensor(s)[:, None, None]).norm(dim=1) for s in shades], 1)
        logits = cells.new_full((len(cells), 18, *cells.shape[2:]), -1e4)
        logits[:, [0, HAIR, FACE]] = -far[:, :3]
        logits[:, PARTS.index("upper-clothes")] = -far[:, 3:].amin(1)
        return logits


@pytest.fixture
def parser(monkeypatch):
    torch.manual_seed(0)
    made = PartParser(segformer.Model(tiny().method), device="cpu", side=256, flip=False)
    monkeypatch.setattr(made, "network", Knowing())
    return made


def photo(height, width, seed=0):
    pixels, mask = person(np.random.default_rng(seed), height, width)
    return pixels, np.where(np.isin(mask, (HAIR, FACE)), mask, 0)


@pytest.mark.parametrize("size", [(96, 80), (517, 390), (300, 520)])
def test_parts_are_found_at_the_size_of_the_picture(parser, size):
    pixels, mask = photo(*size)
    found = parser(pixels)
    assert isinstance(found, Parts)
    assert found.labels.shape == size
    assert found.names == PARTS
    for part in (HAIR, FACE):
        both = ((found.labels == part) & (mask == part)).sum()
        assert both / ((found.labels == part) | (mask == part)).sum() > 0.6, PARTS[part]
    soft = found.soft
    assert soft.shape == (18, *(min(a, b) for a, b in zip(parsers.fitted(*size, 256), size, strict=True)))
    np.testing.assert_allclose(soft.sum(0), 1, atol=1e-5)
    assert found.shares(["hair"]).shape == size


def test_places_are_exact(monkeypatch):
    """A network that sees a step at one column: the border comes there, whatever the sizes."""
    parser = PartParser(segformer.Model(tiny().method), device="cpu", side=128, flip=False)

    def network(images):
        cells = torch.nn.functional.avg_pool2d(images, 4).mean(1)
        logits = cells.new_full((len(cells), 18, *cells.shape[1:]), -1e4)
        logits[:, 0], logits[:, HAIR] = cells, 1 - cells
        return logits

    monkeypatch.setattr(parser, "network", network)
    for width, step in ((128, 64), (256, 100), (1000, 500), (90, 33)):
        pixels = np.full((width // 2, width, 3), 255, np.uint8)
        pixels[:, :step] = 0
        hair = parser(pixels).labels == HAIR
        found = hair.sum(1)
        assert np.abs(found - step).max() <= max(1, width / 128), (width, step)


def test_the_mirrored_picture_tells_the_same(parser, monkeypatch):
    pixels, _ = photo(96, 80)
    alone = parser(pixels)
    monkeypatch.setattr(parser, "flip", True)
    both = parser(pixels)
    assert (both.labels == alone.labels).mean() > 0.99
    np.testing.assert_allclose(both.soft, alone.soft, atol=0.05)


def test_left_and_right_change_places_in_the_mirrored_picture(monkeypatch):
    parser = PartParser(segformer.Model(tiny().method), device="cpu", side=64, flip=True)
    left, right = PARTS.index("left-arm"), PARTS.index("right-arm")

    def network(images):
        """Left arms on the right of what it sees."""
        logits = images.new_zeros(len(images), 18, images.shape[2] // 4, images.shape[3] // 4)
        logits[:, left, :, logits.shape[3] // 2 :] = 5
        logits[:, right, :, : logits.shape[3] // 2] = 5
        return logits

    monkeypatch.setattr(parser, "network", network)
    labels = parser(np.zeros((64, 64, 3), np.uint8)).labels
    assert (labels[:, 34:] == left).all()
    assert (labels[:, :30] == right).all()
    assert parsers.mirrored(("hair", "Left-leg", "left-leg", "right-leg")) == [0, 1, 3, 2]
    assert parsers.mirrored(("l_eye", "bright", "r_eye", "left arm", "blight", "right arm")) == [2, 1, 0, 5, 4, 3]


def test_heads_are_looked_at_from_near(parser, monkeypatch):
    pixels = np.full((600, 400, 3), 200, np.uint8)
    small, _ = photo(96, 80)
    pixels[40:136, 100:180] = small
    seen = []
    real = parser.view
    monkeypatch.setattr(parser, "side", 512)
    monkeypatch.setattr(parser, "view", lambda p, box: seen.append(box) or real(p, box))
    far = parser(pixels).labels
    monkeypatch.setattr(parser, "zoom", True)
    found = parser(pixels)
    near = found.labels
    assert found.faces == (), "looked for, and none is there"
    assert len(seen) == 3
    whole, box = seen[1:]
    assert whole == Box(0, 0, 600, 400)
    head = np.isin(photo(96, 80)[1], (HAIR, FACE))
    rows, columns = np.flatnonzero(head.any(1)) + 40, np.flatnonzero(head.any(0)) + 100
    assert box.top < rows[0]
    assert box.bottom > rows[-1]
    assert box.left < columns[0]
    assert box.right > columns[-1]
    assert max(box.height, box.width) < 2.2 * max(np.ptp(rows), np.ptp(columns))
    wanted = np.zeros(pixels.shape[:2], np.uint8)
    wanted[40:136, 100:180] = photo(96, 80)[1]
    hair = wanted == HAIR
    ours, theirs = (((x == HAIR) & hair).sum() / ((x == HAIR) | hair).sum() for x in (near, far))
    assert ours > theirs + 0.1


def test_a_head_that_fills_the_picture_is_not_looked_at_twice(parser, monkeypatch):
    monkeypatch.setattr(parser, "zoom", True)
    close = np.full((60, 60, 3), 50, np.uint8)
    close[15:45, 15:45] = SKIN
    assert parser(close).present().keys() == {"hair", "face"}
    assert parser._heads((60, 60), parser.view(close, Box(0, 0, 60, 60)), ()) == []


@pytest.fixture(scope="module")
def portrait(repository):
    """A face, (256, 256, 3)."""
    pixels = image.read(repository / "src" / "sfumato" / "assets" / "examples" / "portrait-1.jpg").pixels
    return cv2.resize(pixels, (256, 256), interpolation=cv2.INTER_AREA)


def test_faces_that_the_first_look_misses_are_looked_at_from_near(parser, portrait):
    """In a wide picture: the squares about both faces, and nothing besides."""
    wide = np.full((900, 1400, 3), 90, np.uint8)
    for left in (150, 950):
        wide[300:556, left : left + 256] = portrait
    nothing = np.full((18, 64, 64), -9.0, np.float32)
    nothing[0] = 9
    boxes = parser._heads((900, 1400), View(logits=nothing, box=Box(0, 0, 900, 1400)), detect(wide))
    assert len(boxes) == 2
    for left, box in zip((150, 950), sorted(boxes, key=lambda box: box.left), strict=True):
        assert box.left < left + 30
        assert box.right > left + 226
        assert abs((box.left + box.right) / 2 - left - 128) < 20
        assert abs(box.height - box.width) < 3
        assert box.width < 3 * 200


def test_a_head_whose_face_is_known_is_not_looked_at_twice(parser, portrait):
    wide = np.full((900, 1400, 3), 90, np.uint8)
    wide[300:556, 100:356] = portrait
    logits = np.zeros((18, 45, 70), np.float32)
    logits[0], logits[HAIR, 16:28, 6:17], logits[HAIR, 30:38, 50:60] = 1, 9, 9
    boxes = parser._heads((900, 1400), View(logits=logits, box=Box(0, 0, 900, 1400)), detect(wide))
    assert sorted(box.left > 800 for box in boxes) == [False, True]


def test_a_later_view_takes_the_place_of_an_earlier_one_softly():
    whole = View(logits=np.zeros((1, 16, 16), np.float32), box=Box(0, 0, 64, 64))
    part = View(logits=np.ones((1, 8, 8), np.float32), box=Box(16, 0, 48, 32))
    (layer,) = layers([whole, part], (64, 64), (128, 128))
    assert layer.shape == (128, 128)
    assert layer[:32].max() == layer[96:].max() == layer[:, 64:].max() == 0
    assert layer[64, 0] == 1, "the picture's own edge is no edge of the view"
    assert layer[64, 32] == 1
    ramp = layer[32:40, 10]
    assert (np.diff(ramp) > 0).all()
    assert ramp[0] == pytest.approx(0.25 / 4, abs=0.01)


def test_transparent_pictures_are_on_white(parser):
    pixels, mask = photo(96, 80)
    clear = np.dstack((pixels, (mask > 0) * np.uint8(255)))
    white = np.where(mask[..., None] > 0, pixels, np.uint8(255))
    np.testing.assert_array_equal(parser(clear).labels, parser(white).labels)


def test_a_picture_of_one_pixel(parser):
    assert parser(np.zeros((1, 1, 3), np.uint8)).labels.shape == (1, 1)
    assert parser(np.zeros((1, 900, 3), np.uint8)).labels.shape == (1, 900)


def test_what_is_no_parser(tmp_path):
    with pytest.raises(OptionError, match="microast/art finds no parts; a model of the method segformer does"):
        PartParser("microast/art")
    with pytest.raises(WeightsError, match="there is no model 'nobody/here'"):
        PartParser("nobody/here")
    with pytest.raises(OptionError, match="side 16: a picture needs at least 32 pixels"):
        PartParser(segformer.Model(tiny().method), side=16)
    with pytest.raises(PictureError, match="there is no such file"):
        PartParser(segformer.Model(tiny().method), device="cpu")(tmp_path / "nothing.png")


def test_a_model_by_its_file(tmp_path):
    from sfumato import weights
    from sfumato.card import Card

    torch.manual_seed(0)
    model = segformer.Model(tiny().method)
    card = Card(name="parser", method="segformer", config=dataclasses.asdict(tiny().method))
    weights.save(tmp_path / "parser.safetensors", model, card)
    ours, theirs = (sfumato.PartParser(m, device="cpu", side=64) for m in (tmp_path / "parser.safetensors", model))
    np.testing.assert_array_equal(ours(photo(96, 80)[0]).labels, theirs(photo(96, 80)[0]).labels)


@pytest.mark.parametrize(("fast", "told"), [(torch.float32, "fp32"), (torch.bfloat16, "bf16")])
def test_a_parser_tells_what_it_computes_in(monkeypatch, fast, told):
    """Whatever is faster on the processor that the tests run on."""
    monkeypatch.setattr(precision, "fast_dtype", lambda device: fast)
    monkeypatch.setattr(precision, "difference", lambda *given: 0.0)
    assert PartParser(segformer.Model(tiny().method), device="cpu", side=64).precision == told


# Measured


@pytest.fixture
def people(tmp_path):
    return write_people(tmp_path / "people", 14, known={HAIR: HAIR, FACE: FACE})


def test_a_report(parser, people):
    seen = []
    report = evaluate_parts(parser, people, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (14, 14)
    assert len(report.scored) == 14
    standard = report.agreements["standard"]
    assert 0.5 < standard.iou[HAIR] < 1
    assert 0.5 < standard.iou[FACE] < 1
    low, high = report.intervals["standard"]
    assert low < standard.mean_iou < high
    value, (low, high) = report.borders["face"]
    assert low <= value <= high
    values = [s.mean_iou for s in report.scored]
    assert values == sorted(values, reverse=True)
    told = json.loads(json.dumps(report.json()))
    assert told["standard"]["iou"]["hair"] == pytest.approx(standard.iou[HAIR], abs=1e-5)
    assert told["standard"]["iou"]["scarf"] is None
    assert told["ignoring_background"]["iou"]["background"] in (0.0, None)
    assert told["side"] == 256
    assert len(told["by_picture"]) == 14
    assert report.sheet().width > 1000


def test_a_sheet_of_few_pictures(parser, tmp_path):
    report = evaluate_parts(parser, write_people(tmp_path / "few", 7, known={HAIR: HAIR}))
    assert report.sheet().height > 500
    one = evaluate_parts(parser, write_people(tmp_path / "one", 1, known={HAIR: HAIR}))
    assert one.sheet().height > 300
    assert math.isnan(one.borders["face"][0])


def test_masks_that_say_nothing_can_be_compared_with_nothing(parser, tmp_path):
    write_people(tmp_path, 2)
    for path in (tmp_path / "masks").iterdir():
        Image.fromarray(np.full((96, 80), 255, np.uint8)).save(path)
    with pytest.raises(DataError, match="say of no place what is there"):
        evaluate_parts(parser, tmp_path)


def test_what_masks_cannot_say_has_no_figure(parser, tmp_path):
    """Where masks tell of hair and face alone, clothes that are found are neither right nor wrong."""
    people = write_people(tmp_path / "heads", 4, known={FACE: FACE, HAIR: HAIR})
    (people / "parts.toml").write_text(f'[labels]\n0 = "rest"\n{FACE} = "face"\n{HAIR} = "hair"\n')
    standard = evaluate_parts(parser, people).agreements["standard"]
    assert {PARTS[k] for k in np.flatnonzero(~np.isnan(standard.iou))} == {"hair", "face"}
    assert standard.mean_iou == pytest.approx((standard.iou[HAIR] + standard.iou[FACE]) / 2)
    assert standard.mean_iou > 0.5


def test_what_cannot_be_measured(parser, people, monkeypatch):
    with pytest.raises(Cancelled):
        evaluate_parts(parser, people, progress=lambda *_: False)
    (people / "images" / "000.png").write_bytes(b"nothing")
    Image.fromarray(np.full((96, 80), 99, np.uint8)).save(people / "masks" / "001.png")
    (people / "masks" / "002.png").unlink()
    report = evaluate_parts(parser, people)
    assert len(report.scored) == 11
    assert len(report.left_out) == 3
    assert any("002.png: has no mask" in fault for fault in report.left_out)
    for path in (people / "images").iterdir():
        path.write_bytes(b"nothing")
    with pytest.raises(DataError, match="no picture can be used; the first"):
        evaluate_parts(parser, people)
    monkeypatch.setattr(parser, "names", ("skin", *PARTS[1:]))
    with pytest.raises(OptionError, match="tells 'skin', which labels do not"):
        evaluate_parts(parser, write_people(people / "again", 1))


def test_a_parser_with_its_parts_in_another_order(parser, people, monkeypatch):
    usual = evaluate_parts(parser, people).agreements["standard"].iou[HAIR]
    monkeypatch.setattr(parser, "names", tuple(reversed(PARTS)))
    parser.network.register_forward_hook(lambda _m, _i, out: out.flip(1))
    assert evaluate_parts(parser, people).agreements["standard"].iou[HAIR] == pytest.approx(usual)
