"""Sets of pictures and masks, what masks mean, and the samples that are made of them."""

import dataclasses
import shutil

import cv2
import numpy as np
import pytest
import torch
from people import FACE, HAIR, LEFT, RIGHT, SHIRT, write_people
from PIL import Image

from sfumato import image
from sfumato.data.paper import NO_WEAR
from sfumato.data.parsing import BEYOND, Parsing, head_box
from sfumato.data.part_labels import NAMED, label_map
from sfumato.data.part_sets import read_set
from sfumato.errors import DataError, PictureError, RecipeError
from sfumato.parts import EVERY, MIRRORED, PARTS

CALM = Parsing(size=64, scale=(1.0, 1.0), head=0, flip=0, rotation_deg=0, jitter=0, hue=0, grey=0, wear=NO_WEAR)


def bits(*parts):
    return sum(1 << PARTS.index(part) for part in parts)


@pytest.fixture
def people(tmp_path):
    return write_people(tmp_path / "people", 4)


# The parts


def test_mirrored_parts_are_pairs():
    assert [PARTS[MIRRORED[PARTS.index(part)]] for part in ("left-shoe", "right-leg", "hair")] == [
        "right-shoe",
        "left-leg",
        "hair",
    ]
    assert [MIRRORED[k] for k in MIRRORED] == list(range(18))
    assert [k for k in range(18) if MIRRORED[k] != k] == [9, 10, 12, 13, 14, 15]


# What masks mean


def test_a_table_of_numbers():
    found = label_map({"0": "rest", "1": "face", "2": ["left-arm", "right-arm"], "7": "unknown"})
    assert found.sets[1] == bits("face")
    assert found.sets[2] == bits("left-arm", "right-arm")
    assert found.sets[0] == EVERY & ~bits("face", "left-arm", "right-arm")
    assert found.sets[7] == found.sets[255] == found.sets[found.outside] == EVERY
    assert np.flatnonzero(found.named).tolist() == [0, 1, 2, 7, 255]


def test_a_number_255_that_means_something():
    found = label_map({"0": "rest", "255": "hair"})
    assert found.sets[255] == bits("hair")
    assert found.outside == 254
    assert found.sets[254] == EVERY
    assert not found.named[254]


def test_left_and_right_are_exchanged_in_mirrored_sets():
    found = label_map({"0": "left-arm", "1": ["right-shoe", "hair"], "2": "unknown"})
    assert found.mirrored()[:3].tolist() == [bits("right-arm"), bits("left-shoe", "hair"), EVERY]


@pytest.mark.parametrize("name", sorted(path.stem for path in NAMED.glob("*.toml")))
def test_named_tables_are_sound(name):
    found = label_map(name)
    assert found.named[0]
    assert (found.sets > 0).all()
    assert (found.sets <= EVERY).all()


def test_the_named_tables_say_what_is_known():
    parts = label_map("parts")
    assert parts.sets[:18].tolist() == [1 << k for k in range(18)]
    faces = label_map("celebamask")
    assert [int(faces.sets[k]) for k in (1, 13, 14)] == [bits("face"), bits("hair"), bits("hat")]
    assert faces.sets[3] == bits("face", "sunglasses")
    assert np.flatnonzero(faces.named).tolist() == [*range(19), 255]
    assert np.flatnonzero(label_map("ccp").named).tolist() == [*range(59), 255]
    assert np.flatnonzero(label_map("lip").named).tolist() == [*range(20), 255]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"0": "nose"}, "table: 0 = 'nose' is no part; there are background, hat"),
        ({"0": ["hair", "nose"]}, "'nose' is no part"),
        ({"0": 3}, "0 = 3 is no part"),
        ({"0": []}, "is no part"),
        ({"a": "hair"}, "the label 'a' is no number from 0 to 255"),
        ({"256": "hair"}, "the label '256' is no number"),
        ({"#ff00": "hair"}, "'#ff00' is no colour as #ff0000"),
        ({"0": "hair", "#ff0000": "face"}, "numbers or colours, not both"),
        ({}, "has 0 labels"),
        ({"0": list(PARTS[:9]), "1": "rest", "2": list(PARTS[9:])}, "no part is left for 'rest'"),
    ],
)
def test_tables_that_mean_nothing(table, message):
    with pytest.raises(DataError, match=message):
        label_map(table, name="table")


def test_a_table_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"there is no file .*nothing.toml, and labels are called .*celebamask"):
        label_map("nothing.toml", beside=tmp_path)
    (tmp_path / "bad.toml").write_text("labels = 3\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"bad.toml: has no table \[labels\]"):
        label_map("bad.toml", beside=tmp_path)
    (tmp_path / "worse.toml").write_text("labels = \n", encoding="utf-8")
    with pytest.raises(DataError, match=r"worse.toml: cannot be read"):
        label_map("worse.toml", beside=tmp_path)


# Masks as files


def test_palettes_and_grey_are_numbers(tmp_path):
    numbers = np.arange(18, dtype=np.uint8).reshape(3, 6)
    colored = Image.fromarray(numbers)
    colored.putpalette([(7 * k) % 256 for k in range(768)])
    assert colored.mode == "P"
    for name, picture in (
        ("p", colored),
        ("l", Image.fromarray(numbers)),
        ("i", Image.fromarray(numbers.astype(np.uint16))),
    ):
        picture.save(tmp_path / f"{name}.png")
        np.testing.assert_array_equal(image.read_labels(tmp_path / f"{name}.png"), numbers)
    Image.fromarray(numbers > 8).save(tmp_path / "1.png")
    np.testing.assert_array_equal(image.read_labels(tmp_path / "1.png"), numbers > 8)
    Image.fromarray(numbers.astype(np.uint16) * 100).save(tmp_path / "many.png")
    with pytest.raises(PictureError, match="many.png: holds the label 1700"):
        image.read_labels(tmp_path / "many.png")
    assert image.read_labels(save_rgb(tmp_path)).shape == (3, 6, 3)


def save_rgb(folder):
    Image.new("RGBA", (6, 3), (255, 0, 0, 255)).save(folder / "c.png")
    return folder / "c.png"


def test_colors_are_exact_or_nearest(tmp_path):
    shades = {"#ff0000": "hair", "#00ff00": "face", "#000000": "rest"}
    pixels = np.array([[(255, 0, 0), (0, 255, 0), (0, 0, 0)]], np.uint8)
    Image.fromarray(pixels).save(tmp_path / "exact.png")
    exact = label_map(shades)
    assert exact.sets[exact.read(tmp_path / "exact.png")].tolist() == [
        [bits("hair"), bits("face"), EVERY & ~bits("hair", "face")]
    ]
    Image.fromarray(np.array([[(240, 10, 5), (90, 120, 110), (3, 2, 1)]], np.uint8)).save(tmp_path / "near.png")
    with pytest.raises(DataError, match="near.png: holds the colours #030201, #5a786e, #f00a05, which table"):
        label_map(shades, name="table").read(tmp_path / "near.png")
    near = label_map(shades, 40)
    assert near.sets[near.read(tmp_path / "near.png")].tolist() == [
        [bits("hair"), EVERY, EVERY & ~bits("hair", "face")]
    ]
    with pytest.raises(DataError, match="is in colours; table needs lines such as"):
        label_map({"0": "hair"}, name="table").read(tmp_path / "near.png")


def test_grey_masks_of_colors(tmp_path):
    Image.fromarray(np.array([[0, 255]], np.uint8)).save(tmp_path / "grey.png")
    found = label_map({"#ffffff": "hair", "#000000": "rest"})
    assert found.sets[found.read(tmp_path / "grey.png")][0, 1] == bits("hair")


def test_labels_that_are_not_named(people):
    Image.fromarray(np.full((96, 80), 40, np.uint8)).save(people / "masks" / "000.png")
    with pytest.raises(DataError, match=r"masks/000.png: holds the labels 40, which .* does not name"):
        read_set(people).items[0].read()


# Sets


def test_a_folder_of_images_and_masks(people):
    found = read_set(people)
    assert [item.picture.name for item in found.items] == ["000.png", "001.png", "002.png", "003.png"]
    pixels, sets = found.items[0].on_white()
    assert (pixels.shape, sets.shape) == ((96, 80, 3), (96, 80))
    assert set(np.unique(sets)) == {1 << part for part in (0, HAIR, FACE, SHIRT, LEFT, RIGHT)}


def test_what_render_writes(tmp_path):
    write_people(tmp_path, 3)
    (tmp_path / "images").rename(tmp_path / "shaded")
    (tmp_path / "masks").rename(tmp_path / "parts")
    shutil.copytree(tmp_path / "shaded", tmp_path / "flat")
    found = read_set(tmp_path)
    assert [item.picture.parent.name for item in found.items] == ["shaded"] * 3 + ["flat"] * 3
    assert {item.mask.parent.name for item in found.items} == {"parts"}


def test_a_file_says_where_and_what(people, tmp_path):
    (tmp_path / "set.toml").write_text(
        'images = ["people/images"]\nmasks = "people/masks"\n[labels]\n0 = "rest"\n'
        f'{HAIR} = "hair"\n{FACE} = "face"\n{SHIRT} = "unknown"\n{LEFT} = "unknown"\n{RIGHT} = "unknown"\n',
        encoding="utf-8",
    )
    _, sets = read_set(tmp_path / "set.toml").items[0].on_white()
    assert set(np.unique(sets)) == {bits("hair"), bits("face"), EVERY & ~bits("hair", "face"), EVERY}


def test_pictures_without_masks(people, tmp_path):
    (people / "masks" / "001.png").unlink()
    assert [path.name for path in read_set(people).missing] == ["001.png"]
    (tmp_path / "open.toml").write_text('images = "people/images"\nmasks = ""\n', encoding="utf-8")
    found = read_set(tmp_path / "open.toml")
    assert len(found.items) == 4
    assert set(np.unique(found.items[0].on_white()[1])) == {EVERY}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour = 1", "colour is unknown; there are images, masks, labels, tolerance"),
        ("images = 3", "images = 3 is no folder"),
        ("masks = 3", "masks = 3 is no folder"),
        ('images = "nowhere"', "nowhere: no such folder of pictures"),
        ('masks = "images"\nimages = "masks"\nlabels = "lips"', "there is no file .*lips, and labels are called"),
    ],
)
def test_files_that_say_nothing(people, text, message):
    (people / "parts.toml").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_set(people)


def test_folders_that_are_no_sets(people, tmp_path):
    with pytest.raises(DataError, match=r"has no folders images and masks, nor shaded and parts"):
        read_set(people / "images")
    with pytest.raises(DataError, match="no such folder of pictures and masks"):
        read_set(tmp_path / "nothing")
    for path in (people / "masks").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="none of its 4 pictures has a mask of its name"):
        read_set(people)


def test_a_mask_of_another_size(people):
    Image.fromarray(np.zeros((50, 80), np.uint8)).save(people / "masks" / "000.png")
    with pytest.raises(DataError, match=r"is of 80 x 50 pixels, its picture 000.png of 80 x 96"):
        read_set(people).items[0].read()


# Samples


def test_a_sample_is_a_function_of_seed_and_number(people):
    settings = Parsing(root=(str(people),), size=64)
    one, other = settings.open().sample(3, 5), settings.open(cache_bytes=0).sample(3, 5)
    assert one["image"].shape == (3, 64, 64)
    assert one["image"].dtype == torch.uint8
    assert one["parts"].shape == (64, 64)
    assert one["parts"].dtype == torch.int32
    assert all(torch.equal(one[key], other[key]) for key in one)
    assert not torch.equal(one["image"], settings.open().sample(4, 5)["image"])


def test_the_whole_picture_with_its_aspect(people):
    sample = dataclasses.replace(CALM, root=(str(people),)).open().sample(0, 0)
    known = sample["parts"] != EVERY
    assert int(known.all(0).sum()) == int(known.any(0).sum())
    assert int(known.any(0).sum()) in (53, 54)  # 80/96 of 64 columns
    outside = sample["image"].permute(1, 2, 0)[~known]
    assert float((outside == torch.tensor(BEYOND)).all(1).float().mean()) > 0.85, "but for a column that is half inside"


def test_pixels_and_labels_stay_together(people):
    """The made pictures have a colour for each part."""
    settings = dataclasses.replace(CALM, root=(str(people),), rotation_deg=30.0, scale=(0.8, 2.0), flip=0.5)
    samples = settings.open()
    for n in range(12):
        sample = samples.sample(1, n)
        pixels, parts = sample["image"].permute(1, 2, 0).numpy().astype(int), sample["parts"].numpy()
        inner = cv2.erode((parts == 1 << SHIRT).astype(np.uint8), np.ones((3, 3))).astype(bool)
        assert np.abs(pixels[inner] - (40, 90, 200)).mean() < 12
        inner = cv2.erode((parts == 1 << FACE).astype(np.uint8), np.ones((3, 3))).astype(bool)
        assert np.abs(pixels[inner] - (230, 180, 150)).mean() < 12


def test_left_and_right_change_places_in_mirrored_pictures(people):
    plain = dataclasses.replace(CALM, root=(str(people),)).open().sample(0, 0)
    mirrored = dataclasses.replace(CALM, root=(str(people),), flip=1.0).open().sample(0, 0)
    assert torch.equal(mirrored["image"].flip(2), plain["image"])
    ours, theirs = mirrored["parts"].flip(1), plain["parts"]
    assert torch.equal(ours == 1 << LEFT, theirs == 1 << RIGHT)
    assert torch.equal(ours == 1 << RIGHT, theirs == 1 << LEFT)
    assert torch.equal(ours == 1 << HAIR, theirs == 1 << HAIR)


def test_squashed_pictures_fill_the_sample(people):
    sample = dataclasses.replace(CALM, root=(str(people),), squash=True).open().sample(0, 0)
    assert bool((sample["parts"] != EVERY).all())


def share_of_heads(settings):
    """The share of samples that is head."""
    samples, wanted = settings.open(), torch.tensor([1 << HAIR, 1 << FACE])
    return [float(torch.isin(samples.sample(0, n)["parts"], wanted).float().mean()) for n in range(6)]


def test_heads_from_near(people):
    item = read_set(people).items[0]
    _, _, codes = item.read()
    left, top, width, height = head_box(codes, item.labels.sets)
    head = np.isin(codes, (HAIR, FACE))
    assert (left, top) == (np.flatnonzero(head.any(0))[0], np.flatnonzero(head.any(1))[0])
    assert (width, height) == (np.ptp(np.flatnonzero(head.any(0))) + 1, np.ptp(np.flatnonzero(head.any(1))) + 1)
    settings = dataclasses.replace(CALM, root=(str(people),))
    near, far = (share_of_heads(dataclasses.replace(settings, head=often)) for often in (1.0, 0.0))
    assert min(near) > max(far)
    assert head_box(np.zeros((5, 5), np.uint8), item.labels.sets) is None


def test_transparent_ground_shows_what_is_behind(tmp_path):
    root = write_people(tmp_path / "cut", 2)
    for path in (root / "images").iterdir():
        pixels = np.array(Image.open(path))
        mask = np.array(Image.open(root / "masks" / path.name))
        Image.fromarray(np.dstack((pixels, (mask > 0) * np.uint8(255)))).save(path)
    ground = tmp_path / "ground"
    ground.mkdir()
    Image.new("RGB", (100, 90), (10, 200, 30)).save(ground / "green.png")
    white = dataclasses.replace(CALM, root=(str(root),)).open().sample(0, 0)
    green = dataclasses.replace(CALM, root=(str(root),), backgrounds=(str(ground),)).open().sample(0, 0)
    behind = white["parts"] == 1
    assert (white["image"].permute(1, 2, 0)[behind].float().mean(0) > 235).all()
    found = green["image"].permute(1, 2, 0)[behind].float()
    assert (found.median(0).values - torch.tensor([10.0, 200.0, 30.0])).abs().max() < 2
    inside = cv2.erode((white["parts"] == 1 << SHIRT).numpy().astype(np.uint8), np.ones((7, 7))).astype(bool)
    assert inside.any()
    assert torch.equal(white["image"][:, inside], green["image"][:, inside])


def test_broken_files_are_replaced_and_told(people):
    settings = dataclasses.replace(CALM, root=(str(people),))
    samples = settings.open(cache_bytes=0)
    (people / "images" / "001.png").write_bytes(b"no picture")
    Image.fromarray(np.full((96, 80), 77, np.uint8)).save(people / "masks" / "002.png")
    for n in range(4):
        assert samples.sample(0, n)["image"].shape == (3, 64, 64)
    assert len(samples.broken()) == 2
    for path in (people / "images").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="no picture is left that can be read"):
        samples.sample(0, 0)


def test_some_are_kept_from_training(tmp_path):
    root = write_people(tmp_path / "many", 40, size=(24, 20))
    samples = dataclasses.replace(CALM, root=(str(root),), hold_out=0.25).open()
    assert 3 <= len(samples.held) <= 17
    assert len(samples.items) + len(samples.held) == 40
    assert samples.counts() == {str(root): len(samples.items)}
    assert not {item.picture for item in samples.items} & {item.picture for item in samples.held}
    (tmp_path / "out.txt").write_text(f"images/{samples.items[0].picture.name}\n", encoding="utf-8")
    fewer = dataclasses.replace(CALM, root=(str(root),), hold_out=0.25, exclude=str(tmp_path / "out.txt")).open()
    assert len(fewer.items) == len(samples.items) - 1
    assert fewer.digest() != samples.digest()


def test_a_set_named_twice_is_seen_twice_as_often(people, tmp_path):
    other = write_people(tmp_path / "other", 4)
    found = dataclasses.replace(CALM, root=(str(people), str(other), str(people))).open()
    assert found.counts() == {str(people): 4, str(other): 4}
    assert [item.picture.parts[-3] for item in found.items] == ["people"] * 4 + ["other"] * 4 + ["people"] * 4


def test_scales_in_the_wrong_order(people):
    with pytest.raises(RecipeError, match=r"data.scale: 2 is larger than 1"):
        dataclasses.replace(CALM, root=(str(people),), scale=(2.0, 1.0)).open()


def test_a_tolerance_that_is_none():
    with pytest.raises(DataError, match="table: tolerance = 'much' is no distance of colours"):
        label_map({"#ff0000": "hair"}, "much", name="table")


def test_sets_that_cannot_be_learned_from(people, caplog):
    with pytest.raises(DataError, match=r"data.root names no folder"):
        Parsing().open()
    (people / "masks" / "003.png").unlink()
    dataclasses.replace(CALM, root=(str(people),)).open()
    assert "1 pictures have no mask and are left out, the first" in caplog.text
    Image.fromarray(np.full((96, 80), 40, np.uint8)).save(people / "masks" / "000.png")
    with pytest.raises(DataError, match="holds the labels 40"):
        dataclasses.replace(CALM, root=(str(people),)).open()


def test_real_toon_masks(real_data, tmp_path):
    """Faces and hair are labelled, the rest may be any other part."""
    (tmp_path / "toon.toml").write_text(
        f'images = "{real_data}/faces_drawn/toon_dicebear_ccby_cc0"\n'
        f'masks = "{real_data}/parsing/toon_masks_ccby_cc0"\nlabels = "face-hair"\n',
        encoding="utf-8",
    )
    found = read_set(tmp_path / "toon.toml")
    assert len(found.items) == 540
    rest = EVERY & ~bits("face", "hair")
    for item in found.items[::90]:
        assert set(np.unique(item.on_white()[1])) <= {bits("face"), bits("hair"), rest}


def test_real_clothes(real_data, tmp_path):
    (tmp_path / "ccp.toml").write_text(
        f'images = "{real_data}/parsing/ccp_TESTONLY/images"\nmasks = "{real_data}/parsing/ccp_TESTONLY/masks"\n'
        'labels = "ccp"\n',
        encoding="utf-8",
    )
    found = read_set(tmp_path / "ccp.toml")
    assert len(found.items) == 60
    assert all((item.on_white()[1] == bits("hair")).any() for item in found.items[::20])
