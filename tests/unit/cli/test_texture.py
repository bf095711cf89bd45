"""Textures from swatches."""

import pytest

from sfumato import image

QUICK = ["--iterations", "1", "--swatch-size", "32"]


def test_a_texture_beside_the_swatch(sfumato, folder):
    result = sfumato("texture", "wave.png", "--size", "40x24", "--seamless", *QUICK)
    assert result == (0, ["wave-texture.png"], [])
    assert image.read(folder / "wave-texture.png").pixels.shape == (24, 40, 3)


def test_between_two_swatches(sfumato, folder):
    words = ["wave.png", "night.jpg", "--weights", "1", "2", "--size", "32", *QUICK, "-o", "out/"]
    assert sfumato("texture", *words) == (0, ["out/wave-texture.png"], [])
    assert image.read(folder / "out/wave-texture.png").pixels.shape == (32, 32, 3)


def test_the_seed_decides(sfumato, folder):
    for name, seed in [("a", 1), ("b", 1), ("c", 2)]:
        sfumato("texture", "wave.png", "--size", "32", *QUICK, "--seed", seed, "-o", f"{name}.png")
    a, b, c = (image.read(folder / f"{name}.png").pixels.tobytes() for name in "abc")
    assert a == b != c


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--weights", "1", "2"], "2 weights were given for 1 styles"),
        (["-o", "out.xyz"], "the extension '.xyz' names no format"),
        (["-o", "out.webp", "--size", "20x16384"], "out.webp: 20 x 16384 pixels are more than WEBP can hold"),
        (["-o", "wave.png/"], "wave.png is no folder"),
        (["--limit-mp", "0.001"], "wave.png: 32 x 40 pixels are 0.0 megapixels, more than the limit of 0.001"),
        (["--limit-mp", "nan"], "--limit-mp nan: wants a number above 0"),
        (["--statistics", "magic"], "invalid choice: 'magic'"),
        (["--iterations", "0"], "--iterations 0: input should be greater than or equal to 1"),
        (["--swatch-size", "3"], "--swatch-size 3: wants 16 pixels or more"),
        (["--content-weight", "1"], "unrecognized arguments: --content-weight 1"),
    ],
)
def test_mistakes(sfumato, folder, words, message):
    result = sfumato("texture", "wave.png", *words)
    assert (result.code, result.out, len(result.err)) == (2, [], 1)
    assert message in result.err[0]
