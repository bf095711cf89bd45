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
        (["--size", "100000"], "--size: 100000 x 100000 pixels are 10,000.0 megapixels, more than the limit of 256"),
        (
            ["--limit-mp", "0.001", "--size", "16"],
            "wave.png: 32 x 40 pixels are 0.0 megapixels, more than the limit of 0.001",
        ),
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


LEARNED = ["--method", "texture_nets", "--steps", "2", "--swatch-size", "32"]


def test_a_network_is_learned_once_and_makes_any_size(sfumato, folder):
    result = sfumato("texture", "wave.png", *LEARNED, "--size", "40x24", "-o", "out/a.png")
    assert (result.code, result.out) == (0, ["out/wave-texture-net.safetensors", "out/a.png"])
    assert image.read(folder / "out/a.png").pixels.shape == (24, 40, 3)
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["a.png", "wave-texture-net.safetensors"]
    before = (folder / "out/wave-texture-net.safetensors").read_bytes()
    for name, seed in [("b", 0), ("c", 1)]:
        words = [*LEARNED, "--size", "40x24", "--seed", seed, "-o", f"out/{name}.png"]
        assert sfumato("texture", "wave.png", *words) == (0, [f"out/{name}.png"], [])
    assert (folder / "out/wave-texture-net.safetensors").read_bytes() == before
    a, b, c = (image.read(folder / f"out/{name}.png").pixels.tobytes() for name in "abc")
    assert a == b != c
    words = ["--model", "out/wave-texture-net.safetensors", "--size", "40x24"]
    assert sfumato("texture", *words) == (0, ["out/wave-texture-net-texture.png"], [])
    assert image.read(folder / "out/wave-texture-net-texture.png").pixels.tobytes() == a
    assert sfumato("translate", "wave.png", "--model", words[1]).code == 2


def test_a_network_of_another_picture_is_not_taken(sfumato, folder):
    assert sfumato("texture", "wave.png", *LEARNED, "--size", "32", "-q").code == 0
    (folder / "wave.png").write_bytes((folder / "night.jpg").read_bytes())
    result = sfumato("texture", "wave.png", *LEARNED, "--size", "32", "-o", "other.png")
    assert result.code == 2
    assert "wave-texture-net.safetensors: was learned from another picture" in result.err[-1]


def test_a_network_of_another_picture_that_was_begun_is_not_taken(sfumato, folder, monkeypatch):
    def stopped(*_arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("sfumato.train.state.State.step", stopped)
        assert sfumato("texture", "wave.png", *LEARNED, "--size", "32", "-q").code == 130
    result = sfumato("texture", "wave.png", *LEARNED[:-1], "48", "--size", "32", "-q")
    message = "wave-texture-net: was begun with another picture, or at another --swatch-size; remove that folder"
    assert (result.code, result.err) == (2, [f"sfumato: {message}, or go on with what it was begun with"])
    assert sfumato("texture", "wave.png", *LEARNED, "--size", "32", "-q").code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["wave.png", "--method", "texture_nets", "--iterations", "3"], "--iterations is an option of gatys"),
        (["wave.png", "night.jpg", "--method", "texture_nets", "--weights", "1", "2"], "--weights is an option of"),
        (["wave.png", "--method", "gatys", "--model", "x.safetensors"], "--model is for --method texture_nets"),
        (["wave.png", "--steps", "3"], "--steps is for --method texture_nets"),
        (["wave.png", "--method", "texture_nets", "--steps", "0"], "--steps 0: wants a number of steps"),
        (["--method", "texture_nets"], "which swatch?"),
        (["--model", "x.safetensors", "--steps", "3"], "--steps is for learning"),
        (["--model", "x.safetensors"], "x.safetensors: there is no such file"),
        (["--model", "microast/art", "-o", "x.png"], "microast/art makes no textures"),
        (["wave.png", *LEARNED, "--size", "4"], "--size 4x4: texture_nets wants 8 pixels a side"),
        (["wave.png", *LEARNED, "--size", "15999"], "a texture of 15999 x 15999 pixels takes about 409.5 GB of memory"),
    ],
)
def test_mistakes_with_networks(sfumato, folder, words, message):
    result = sfumato("texture", *words)
    assert (result.code, len(result.err)) == (2, 1)  # nothing is learned first
    assert message in result.err[-1]
