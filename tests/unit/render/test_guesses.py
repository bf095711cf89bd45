"""What the name of a thing tells: whole words, however they are joined."""

import pytest

from sfumato.render.guesses import is_eye, part_by_name


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("Hoodie", "upper-clothes"),
        ("red_hoodie.001", "upper-clothes"),
        ("Hood", "hat"),
        ("Brown", None),
        ("BrownHair", "hair"),
        ("Chair", None),
        ("wardrobe", None),
        ("Bathrobe", "dress"),
        ("That", None),
        ("Flashlight", None),
        ("Eyebrow", "face"),
        ("Eyelashes_L", "face"),
        ("leftEye", "face"),
        ("Eyes02", "face"),
        ("EYEGLASSES", "sunglasses"),
        ("eye_glasses", "sunglasses"),
        ("SunGlasses", "sunglasses"),
        ("Knight_Helmet", "hat"),
        ("Knight_Cape", "scarf"),
        ("Rogue_Hat", "hat"),
        ("HatStand", "hat"),
        ("Ponytail2", "hair"),
        ("hairPonytail", "hair"),
        ("Shoes", "left-shoe"),
        ("bootsLeft", "left-shoe"),
        ("T-Shirt", "upper-clothes"),
        ("tshirt", "upper-clothes"),
        ("Tops", "upper-clothes"),
        ("Laptop", None),
        ("Backpack", "bag"),
        ("cabbage", None),
        ("Landscape", None),
        ("Underpants", "pants"),
        ("Swimsuit", "upper-clothes"),
        ("Capsule", None),
        ("Cap", "hat"),
        ("XMLHat", "hat"),
        ("bob01", "hair"),
        ("Mesh.001", None),
        ("", None),
    ],
)
def test_words(name, part):
    assert part_by_name(name) == part


@pytest.mark.parametrize(
    ("names", "eye"),
    [
        (("Eyes",), True),
        (("EyeLeft",), True),
        (("Wolf3D_Eye", "EyeLeft"), True),
        (("N00_000_00_EyeIris_00_EYE", "Face"), True),
        (("Mat.003", "eyeball_R"), True),
        (("Eyelashes", "Eyes"), False),
        (("Skin", "Head"), False),
        (("EyeBrow",), False),
        (("eye_glasses",), False),
        (("EyeShadow",), False),
        (("Journeyeyed",), False),
        (("", ""), False),
    ],
)
def test_eyes_by_name(names, eye):
    assert is_eye(*names) == eye
