"""style2paints: the network, its guides, the shift to the judge, pairs of lines and pictures, sketches at work."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from sfumato import weights
from sfumato.card import Card
from sfumato.data.line_pairs import LinePairs
from sfumato.data.lines import EXTRACTORS, extracted, normalised, seems_photograph
from sfumato.errors import DataError, OptionError, PictureError, RecipeError, WeightsError
from sfumato.methods import style2paints
from sfumato.methods.base import Colorizer
from sfumato.nets.points import Point, point_map
from sfumato.nets.style2paints import ColorUnet, Decoder, FcHint, PictureNorm, color_shares
from sfumato.recipes.style2paints import paper, tiny
from sfumato.train.state import State
from sfumato.translate.colorist import Colorist, ColorOptions, filled, laid, under_lines


@pytest.fixture
def config():
    return tiny().method


@pytest.fixture
def training(config):
    torch.manual_seed(0)
    return style2paints.Training(config)


def cartoon(size=96):
    """A face: skin, hair, black outlines, on a light background."""
    pixels = np.full((size, size, 3), (200, 220, 240), np.uint8)
    unit = size / 96
    for center, radius, color in [((48, 40), 34, (120, 60, 20)), ((48, 52), 28, (240, 190, 150))]:
        place, r = tuple(round(c * unit) for c in center), round(radius * unit)
        cv2.circle(pixels, place, r, color, -1)
        cv2.circle(pixels, place, r, (0, 0, 0), max(1, round(2 * unit)))
    return pixels


def drawing(size=96):
    """Black lines on white."""
    pixels = np.full((size, size, 3), 255, np.uint8)
    cv2.circle(pixels, (size // 2, size // 2), size // 3, (0, 0, 0), 2)
    return pixels


@pytest.fixture
def folder(tmp_path):
    for k in range(3):
        Image.fromarray(np.roll(cartoon(), k, 2)).save(tmp_path / f"{k}.png")
    return tmp_path


# The network


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("points", [True, False])
def test_shapes(config, channels, points):
    model = style2paints.Model(dataclasses.replace(config, points=points)).eval()
    with torch.inference_mode():
        result = model(torch.rand(2, channels, 48, 80), torch.rand(2, 3, 40, 33))
    assert result.shape == (2, 3, 48, 80)
    assert 0 <= float(result.min()) <= float(result.max()) <= 1


def test_a_sketch_that_is_not_square_and_other_depths(config):
    for halvings in (1, 3, 5):
        model = style2paints.Model(dataclasses.replace(config, halvings=halvings))
        height, width = 2 * model.stride, 3 * model.stride
        assert model(torch.rand(1, 1, height, width), torch.rand(1, 3, 32, 32)).shape[2:] == (height, width)


def test_the_style_and_the_points_change_the_result(training):
    model, sketch = training.model, torch.rand(1, 1, 64, 64)
    red, blue = torch.zeros(2, 1, 3, 32, 32).unbind(0)
    red[:, 0], blue[:, 2] = 1, 1
    points = torch.zeros(1, 4, 64, 64)
    points[:, :2, 30:34, 30:34] = 1
    with torch.inference_mode():
        plain = model(sketch, red)
        assert float((plain - model(sketch, blue)).abs().max()) > 1e-3
        assert float((plain - model(sketch, red, points)).abs().max()) > 1e-3
        assert torch.equal(plain, model(sketch, red, torch.zeros_like(points)))


def test_the_hint_is_not_normalised_away(training):
    """A constant that is added to each channel survives to the painting's mean colour."""
    network, ink = training.model.network, torch.zeros(1, 5, 64, 64)
    with torch.inference_mode():
        a, b = (network(ink, h) for h in torch.randn(2, 1, training.model.hints.size))
    assert float((a.mean((2, 3)) - b.mean((2, 3))).abs().max()) > 1e-3


def test_another_code_modulates_the_picture_of_the_same_features():
    middle, skips = torch.randn(1, 6, 8, 8), [torch.randn(1, 4, 16, 16)]
    codes = torch.randn(2, 1, 6)
    film, plain = (Decoder(6, (5,), (4,), code=size) for size in (6, 0))
    with torch.inference_mode():
        a, b = (film(middle, skips, code=code) for code in codes)
        assert float((a - b).abs().mean()) > 0.05
        scale, shift = film.film[0](codes[0])[:, :, None, None].chunk(2, 1)
        painted = film.blocks[0](torch.cat((F.interpolate(middle, scale_factor=2), *skips), 1)) * (1 + scale) + shift
        torch.testing.assert_close(a, film.head(painted).tanh(), rtol=1e-4, atol=1e-5)
        assert torch.equal(*(plain(middle, skips, code=code) for code in codes))


@pytest.mark.parametrize("film", [True, False])
def test_the_hint_reaches_the_decoder_by_film_only(config, film):
    """The middle stays the same, so that nothing else tells of the hint."""
    network = style2paints.Training(dataclasses.replace(config, film=film)).model.network
    network.out_of.register_forward_hook(lambda _module, _args, found: torch.ones_like(found))
    ink = torch.rand(1, 5, 32, 32)
    with torch.inference_mode():
        a, b = (network(ink, hint) for hint in torch.randn(2, 1, network.dense.in_features))
    assert (float((a - b).abs().mean()) > 0.01) == film


def test_first_weights_are_small_where_hints_come_in_and_pictures_leave():
    """By the deviations of He et al. for a slope of 0.2; the judge's last layer is as any other."""
    network = ColorUnet(300, (8, 64), (8, 64), middle=128, film=True, channels=5)
    judge = style2paints.Judge(200, 32)
    style2paints.initialise(network)
    style2paints.initialise(judge)
    small = [network.dense, *network.decoder.film, network.decoder.head]
    for layer, share in [*((layer, 0.3) for layer in small), (network.into, 1.0), (judge.dense, 1.0)]:
        wanted = share * (2 / 1.04 / layer.weight[0].numel()) ** 0.5
        assert float(layer.weight.detach().std()) == pytest.approx(wanted, rel=0.15)


def test_the_norm_is_torchs_over_all_channels():
    ours, plain = PictureNorm(6), torch.nn.GroupNorm(1, 6)
    for part in ("weight", "bias"):
        torch.nn.init.normal_(getattr(ours, part))
    plain.load_state_dict(ours.state_dict())
    x, goal = torch.randn(2, 6, 5, 4, requires_grad=True), torch.randn(2, 6, 5, 4)
    torch.testing.assert_close(ours(x), plain(x))
    found, wanted = (torch.autograd.grad((n(x) * goal).sum(), (x, n.weight, n.bias)) for n in (ours, plain))
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)


def test_guides_and_judge_are_not_in_the_model(training, config, tmp_path):
    weights.save(tmp_path / "m.safetensors", training.models()["paint"], Card(name="m", method="style2paints"))
    keys = weights.load_tensors(tmp_path / "m.safetensors")
    assert {key.split(".")[0] for key in keys} == {"network"}
    assert len(list(training.guides.parameters())) > 0


def test_the_model_of_the_papers_run_has_its_widths():
    with torch.device("meta"):
        network = style2paints.Model(paper().method).network
    assert [block.conv1.out_channels for block in network.decoder.blocks] == [512, 256, 128, 64, 32]
    assert network.dense.weight.shape == (2048, 4096)


def test_shares_of_colours():
    half = torch.zeros(1, 3, 8, 8)
    half[:, 0, :, :4] = 1
    shares = color_shares(half, 2)[0]
    assert torch.allclose(shares.square().sum(), torch.tensor(8.0))
    assert torch.allclose(shares.square() / 8, torch.tensor([0.5, 0, 0, 0, 0.5, 0, 0, 0]))


def test_the_first_hint_draws_no_random_numbers(config):
    """Else the noise of a resumed run's first step would be another."""
    model, before = style2paints.Model(config), torch.get_rng_state()
    model.encode_style(torch.full((1, 3, 32, 32), 0.5))
    assert torch.equal(before, torch.get_rng_state())


def test_fc1_without_its_weights(config, tmp_path):
    model = style2paints.Model(dataclasses.replace(config, hint="vgg19-fc1", hint_weights=str(tmp_path / "none.pth")))
    assert not list(model.hints.parameters())
    with pytest.raises(WeightsError):
        model.encode_style(torch.rand(1, 3, 32, 32))


def test_fc1_of_a_small_vgg(tmp_path):
    """The file's layers in order, 224 pixels, no ReLU at the end."""
    from sfumato.nets.vgg import VGG

    vgg, state = VGG(19, "relu5_4", widths=(2, 2, 2, 2, 2), flavour="torchvision"), {}
    places = [n for n in range(37) if n not in (4, 9, 18, 27, 36)][::2]
    for place, conv in zip(places, vgg.convs.values(), strict=True):
        state |= {f"features.{place}.{part}": getattr(conv, part).detach() for part in ("weight", "bias")}
    state |= {"classifier.0.weight": torch.randn(4096, 2 * 49), "classifier.0.bias": torch.zeros(4096)}
    torch.save(state, tmp_path / "vgg19.pth")
    hint = FcHint(str(tmp_path / "vgg19.pth"))(torch.rand(2, 3, 50, 40))
    assert hint.shape == (2, 4096)
    assert float(hint.min()) < 0
    torch.save({k: v for k, v in state.items() if "classifier" not in k}, tmp_path / "cut.pth")
    with pytest.raises(WeightsError, match=r"no classifier\.0"):
        FcHint(str(tmp_path / "cut.pth"))(torch.rand(1, 3, 32, 32))


# Training


def test_guides_wake_the_middle(config, folder):
    """At first the skips do all the work; with guides the middle's gradient is several times as large."""
    samples = LinePairs(images=(str(folder),), size=32, shorter=(32, 36), hold_out=0).open()
    parts = [samples.sample(0, n) for n in range(4)]
    batch = {key: torch.stack([part[key] for part in parts]).float() / 255 for key in parts[0]}
    norms = {}
    for guided in (True, False):
        torch.manual_seed(0)
        weight = {} if guided else {"grey_weight": 0.0, "color_weight": 0.0}
        training = style2paints.Training(dataclasses.replace(config, shift_start=10**6, film=False, **weight))
        terms = next(training.learn(batch))
        assert ("guide_grey" in terms) == guided
        sum(terms.values()).backward()
        network = training.model.network
        middle = [network.into.weight, network.dense.weight, *network.out_of.parameters()]
        norms[guided] = float(torch.stack([p.grad.norm() for p in middle]).norm())
    assert norms[True] > 1.3 * norms[False]


def test_the_shift_is_a_function_of_the_images_seen(config):
    training = style2paints.Training(dataclasses.replace(config, shift_start=100, shift_images=50))
    expected = {0: 0.0, 99: 0.0, 100: 0.0, 125: 0.5, 150: 1.0, 1000: 1.0}
    for seen, share in expected.items():
        training.seen = seen
        assert training.shift == share
        assert training.order() == (("generator",) if seen < 100 else ("generator", "judge"))
    at_once = style2paints.Training(dataclasses.replace(config, shift_start=100, shift_images=0))
    at_once.seen = 100
    assert at_once.shift == 1
    never = style2paints.Training(dataclasses.replace(config, adversarial_weight=0.0))
    assert (never.shift, never.order()) == (0.0, ("generator",))


def test_the_trainer_says_how_many_images_were_seen(folder):
    recipe = dataclasses.replace(tiny(), data=dataclasses.replace(tiny().data, images=(str(folder),)))
    recipe = dataclasses.replace(recipe, method=dataclasses.replace(recipe.method, shift_start=2, shift_images=4))
    state, samples = State(recipe, torch.device("cpu")), recipe.data.open()
    names = []
    for first in (0, 2, 4, 6):
        parts = [samples.sample(0, first + i) for i in range(2)]
        record = state.step({key: torch.stack([p[key] for p in parts]).float() / 255 for key in parts[0]})
        assert state.training.seen == first
        names.append({key.partition("/")[2] for key in record})
    assert "adversarial" not in names[1]
    assert "fake" in names[1]
    assert "adversarial" in names[2]
    assert "fake" not in names[0]


def test_the_weight_of_pixels_moves_with_the_shift(config, folder):
    samples = LinePairs(images=(str(folder),), size=32, shorter=(32, 36), hold_out=0).open()
    batch = {key: value[None].float() / 255 for key, value in samples.sample(0, 0).items()}
    training = style2paints.Training(
        dataclasses.replace(config, shift_start=10, shift_images=10, pixel_weight_after=0.5, adversarial_weight=1.0)
    )
    terms = {}
    for seen in (0, 20):
        training.seen = seen
        terms[seen] = {key: float(value.detach()) for key, value in next(training.learn(batch)).items()}
    assert terms[20]["pixel"] == pytest.approx(terms[0]["pixel"] / 2, rel=1e-4)
    assert terms[20]["guide_color"] == pytest.approx(terms[0]["guide_color"] / 2, rel=1e-4)


@pytest.mark.parametrize(("seen", "shift"), [(5, 0.0), (14, 0.4), (50, 1.0)])
def test_every_term_is_that_of_eq_2_to_4(config, seen, shift):
    """Before, within and after the shift; 2 layers halve the guides' pictures."""
    weights = {"pixel_weight": 2.0, "pixel_weight_after": 0.5, "adversarial_weight": 0.7, "grey_weight": 0.4}
    training = style2paints.Training(dataclasses.replace(config, shift_start=10, shift_images=10, **weights))
    training.seen = seen
    batch = {key: torch.rand(2, n, 32, 32) for key, n in {"sketch": 1, "style": 3, "color": 3, "points": 4}.items()}
    batch["points"][:, :1] = (batch["points"][:, :1] > 0.9).float()
    lessons = [dict(terms) for terms in training.learn(batch)]

    color, where = batch["color"] * 2 - 1, batch["points"][:, :1]
    entering = torch.cat((1 - batch["sketch"], where, (batch["points"][:, 1:] * 2 - 1) * where), 1)
    hint, net = training.model.hints(batch["style"]), training.model.network
    skips = [net.first(entering)]
    for down in net.downs:
        skips.append(down(skips[-1]))
    added = net.dense(hint)
    middle = net.out_of(F.leaky_relu(net.norm(net.into(skips[-1])) + added[:, :, None, None], 0.2))
    fake = net.decoder(middle, skips[::-1], code=F.leaky_relu(added, 0.2))
    small = F.avg_pool2d(color, 4)
    red, green, blue = small.unbind(1)
    grey = (0.299 * red + 0.587 * green + 0.114 * blue)[:, None]
    guided = training.guides.grey(skips[-1], size=(8, 8)), training.guides.color(middle, size=(8, 8))
    pixel = (1 - shift) * 2.0 + shift * 0.5
    expected = {
        "pixel": pixel * (fake - color).abs().mean(),
        "guide_grey": pixel * 0.4 * (guided[0] - grey).abs().mean(),
        "guide_color": pixel * 0.9 * (guided[1] - small).abs().mean(),
    }
    v, d_real, d_fake = hint.sigmoid(), training.judge(color).sigmoid(), training.judge(fake).sigmoid()
    if shift:
        expected["adversarial"] = shift * 0.7 * -(v * d_fake.log() + (1 - v) * (1 - d_fake).log()).mean()
    lesson = {
        "real": 0.5 * -(v * d_real.log() + (1 - v) * (1 - d_real).log()).mean(),
        "fake": 0.5 * -(1 - d_fake).log().mean(),
    }
    torch.testing.assert_close(lessons, [expected, lesson], rtol=1e-4, atol=1e-5)


def test_the_judges_goal():
    hint = torch.randn(2, 7)
    exact, off = (style2paints.agreement(logits, hint) for logits in (hint, hint + 1))
    assert float(exact) < float(off)
    assert float(style2paints.disagreement(torch.full((2, 7), -9.0))) < 1e-3


def test_guides_need_something_to_double(config):
    with pytest.raises(RecipeError, match=r"guide_halvings: 4 must be less"):
        style2paints.Training(dataclasses.replace(config, guide_halvings=4))


@pytest.mark.parametrize(("side", "works"), [(16, False), (24, False), (32, True), (40, False), (48, True)])
def test_sides_must_be_halved(training, side, works):
    """Four halvings: a side of 16 leaves one cell in the middle, which has nothing to mirror."""
    kinds = {"sketch": 1, "style": 3, "color": 3, "points": 4}
    batch = {name: torch.rand(2, channels, side, side) for name, channels in kinds.items()}
    if works:
        assert torch.isfinite(next(training.learn(batch))["pixel"])
    else:
        with pytest.raises(RecipeError, match=r"data\.size: .*a multiple of 16, 32 or more"):
            next(training.learn(batch))


# Pairs


@pytest.mark.parametrize("kind", EXTRACTORS)
def test_extractors_draw_lines_on_white(kind):
    for seed in range(6):
        lines = extracted(cartoon(), (kind,), np.random.default_rng(seed))
        assert (lines.shape, lines.dtype) == ((96, 96), np.float32)
        assert 0 <= lines.min() < 0.6
        assert lines.max() == 1
        assert float((lines > 0.9).mean()) > 0.6
        assert float(lines[:6, :6].min()) > 0.9


def test_a_picture_without_outlines_has_lines_all_the_same():
    flat = np.full((64, 64, 3), 200, np.uint8)
    flat[20:40, 20:40] = (200, 60, 60)
    assert float(extracted(flat, ("xdog",), np.random.default_rng(0)).min()) < 0.6
    assert extracted(flat, ("dark",), np.random.default_rng(0)).shape == (64, 64)


def test_a_sample_is_a_function_of_its_number(folder):
    settings = LinePairs(images=(str(folder),), size=32, shorter=(32, 40), hold_out=0, hinted=1.0)
    ours, theirs = settings.open(), settings.open()
    theirs.sample(0, 5)
    for n in (0, 3):
        a, b = ours.sample(1, n), theirs.sample(1, n)
        assert all(torch.equal(a[key], b[key]) for key in a)
        assert {key: tuple(value.shape) for key, value in a.items()} == {
            "sketch": (1, 32, 32),
            "style": (3, 32, 32),
            "color": (3, 32, 32),
            "points": (4, 32, 32),
        }
        assert a["points"][0].max() == 255
        assert not torch.equal(a["color"], a["style"])
    assert not torch.equal(ours.sample(1, 0)["sketch"], ours.sample(2, 0)["sketch"])
    assert sum(ours.counts().values()) == 3
    assert ours.broken() == []
    assert ours.digest() == theirs.digest()


def test_held_out_pictures_are_others(folder):
    settings = LinePairs(images=(str(folder),), size=32, shorter=(32, 40), hold_out=0.6)
    opened = settings.open()
    held = list(opened.held_out(9)["images"])
    assert len(held) + len(opened.folders["images"]) == 3
    assert all(torch.equal(a, b) for a, b in zip(held, opened.held_out(9)["images"], strict=True))


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"images": ()}, DataError, "names no folder"),
        ({"extractors": ("pencil",)}, RecipeError, "data.extractors"),
        ({"extractors": ()}, RecipeError, "data.extractors"),
        ({"shorter": (16, 40)}, RecipeError, "data.shorter"),
    ],
)
def test_mistakes_in_the_data(folder, change, error, words):
    settings = dataclasses.replace(LinePairs(images=(str(folder),), size=32, shorter=(32, 40)), **change)
    with pytest.raises(error, match=words):
        settings.open()


def test_point_maps():
    found = point_map([Point(x=2, y=1, color=(9, 8, 7)), Point(x=99, y=99, color=(1, 2, 3))], (4, 6), 0.0)
    assert found[1, 2].tolist() == [255, 9, 8, 7]
    assert found[3, 5].tolist() == [255, 1, 2, 3]
    assert int((found[..., 0] > 0).sum()) == 2


# At work


def test_sketches_are_normalised():
    lines = np.ones((60, 80), np.float32)
    lines[30, 10:70] = 0.5  # a pencil
    shade = np.linspace(0.6, 1, 80, dtype=np.float32)
    even = normalised(lines * shade)
    assert float(np.delete(even, 30, 0).min()) > 0.9
    assert float(even[30, 10:70].max()) < 0.2
    assert np.abs(normalised(1 - normalised(lines)) - normalised(lines)).max() < 0.05
    assert normalised(np.ones((1, 1), np.float32)).shape == (1, 1)
    black = np.ones((60, 60), np.float32)
    black[10:50, 10:50] = 0
    assert float(normalised(black)[15:45, 15:45].max()) < 0.2, "a large black area is ink"


def test_photographs_are_told_from_drawings():
    from stylizers import made_photo

    for pixels, photograph in [(drawing(), False), (made_photo(64, 64), True)]:
        lines = normalised(pixels.mean(2).astype(np.float32) / 255)
        assert seems_photograph(pixels, lines) == photograph


def joined(painted, small, lines, flat):
    area = under_lines(painted, small, lines, flat)
    return np.stack([laid(area[..., k], lines, own=True) for k in range(3)], 2)


def test_colours_are_filled_in_under_lines():
    painted = np.full((40, 40, 3), 0.5, np.float32)
    lines = np.ones((40, 40), np.float32)
    lines[20], painted[20] = 0, 0
    assert float(filled(painted, lines)[20].min()) > 0.45
    large = np.ones((160, 160), np.float32)
    large[80:83] = 0
    result = joined(painted, lines, large, 0)
    assert result.shape == (160, 160, 3)
    assert float(result[81].max()) == 0
    assert float(result[70].min()) > 0.4
    assert float(laid(painted[..., 0], large, own=False)[81].max()) > 0


def test_flat_areas_have_one_colour():
    painted = np.full((64, 64, 3), 0.2, np.float32)
    painted[16:48, 16:48] += np.random.default_rng(0).random((32, 32, 1), np.float32) / 2
    small, lines = np.ones((64, 64), np.float32), np.ones((256, 256), np.float32)
    for sheet in (small, lines):  # a square that is closed
        unit = len(sheet) // 64
        cv2.rectangle(sheet, (16 * unit, 16 * unit), (48 * unit, 48 * unit), 0, unit)
    inside = slice(70, 186), slice(70, 186), 0
    spread = [float(np.ptp(joined(painted, small, lines, flat)[inside])) for flat in (0, 0.5, 1)]
    assert spread[0] > spread[1] > spread[2] == 0
    assert spread[1] == pytest.approx(spread[0] / 2, rel=0.05)
    assert np.allclose(joined(painted, small, lines, 1)[200:], 0.2, atol=0.01)


@pytest.mark.parametrize("size", [(37, 53), (1, 1), (300, 40)])
def test_any_size_and_alpha(training, size):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (*size, 4), np.uint8)
    result = Colorist(training.model, device="cpu")(pixels, cartoon())
    assert result.pixels.shape == (*size, 3)
    assert np.array_equal(result.alpha, pixels[..., 3])
    assert Colorist(training.model)(pixels, cartoon(), ColorOptions(opaque=True)).alpha is None


class Stub(Colorizer):
    """Paints all of one colour, and white where a colour is given; a hint is the style's size."""

    stride, side = 8, 64
    COLOR = (0.55, 0.7, 0.9)

    def encode_style(self, style):
        return torch.tensor([style.shape[2:]])

    def paint(self, sketch, hint, points=None):
        self.hint, self.seen = hint[0].tolist(), sketch
        plain = torch.tensor(self.COLOR)[:, None, None].expand(1, 3, *sketch.shape[2:])
        return plain if points is None else torch.where(points[:, :1] > 0, 1.0, plain)


def paper_with_a_line(size=(128, 256), width=2):
    pixels = np.full((*size, 3), 255, np.uint8)
    pixels[size[0] // 2 : size[0] // 2 + width] = 0
    return pixels


def test_each_channel_is_that_of_the_painting():
    result = Colorist(Stub(), device="cpu")(paper_with_a_line(), cartoon()).pixels
    assert np.abs(result[20, 20] / 255 - Stub.COLOR).max() < 0.01
    assert result[64].max() == 0


def test_points_are_where_they_are_given_at_any_size():
    point = Point(x=192, y=32, color=(255, 0, 0))
    options = ColorOptions(flat=0)
    result = Colorist(Stub(), device="cpu")(paper_with_a_line(), cartoon(), options, points=[point]).pixels
    white = np.argwhere(result[..., 0] > 200)
    assert len(white) and np.abs(white.mean(0) - (32, 192)).max() < 3


@pytest.mark.parametrize(("size", "seen"), [((64, 48), (64, 48)), ((300, 600), (32, 64)), ((16, 20), (52, 64))])
def test_a_style_is_seen_at_the_models_size(size, seen):
    stub, style = Stub(), np.zeros((*size, 3), np.uint8)
    Colorist(stub, device="cpu")(paper_with_a_line(), style)
    assert np.abs(np.array(stub.hint) - seen).max() <= 1


def test_a_long_style_keeps_its_shorter_side():
    stub = Stub()
    Colorist(stub, device="cpu")(paper_with_a_line(), np.zeros((20, 400, 3), np.uint8))
    assert stub.hint[0] == stub.smallest_style


@pytest.mark.parametrize("scale", [1, 8, 40])
def test_thin_lines_of_large_sketches_stay_dark(scale):
    stub = Stub()
    Colorist(stub, device="cpu")(paper_with_a_line((64 * scale, 64 * scale), width=max(1, scale // 8)), cartoon())
    assert float(stub.seen.min()) < 0.5
    assert float((stub.seen > 0.9).float().mean()) > 0.8


def test_what_covers_half_looks_like_the_painting_on_white():
    pixels = np.concatenate((paper_with_a_line(), np.full((128, 256, 1), 255, np.uint8)), 2)
    pixels[:20, :, 3] = 128
    shown = Colorist(Stub(), device="cpu")(pixels, cartoon())
    opaque = Colorist(Stub(), device="cpu")(pixels, cartoon(), ColorOptions(opaque=True))
    assert np.abs(shown.compose_on_white().pixels.astype(int) - opaque.pixels)[:20].max() <= 2
    pixels[:20, :, :3] = 0  # ink that covers half
    sketch = Colorist(Stub(), device="cpu")(pixels, cartoon(), ColorOptions(strength=0))
    assert int(sketch.pixels[:20].max()) <= 1


def test_strength_0_is_the_sketch(training):
    colorist = Colorist(training.model, device="cpu")
    assert np.array_equal(colorist(drawing(), cartoon(), ColorOptions(strength=0.0)).pixels, drawing())
    assert not np.array_equal(colorist(drawing(), cartoon()).pixels, drawing())
    deep = colorist(drawing().astype(np.uint16) * 257, cartoon(), ColorOptions(strength=0.5))
    assert deep.pixels.dtype == np.uint16


def test_what_cannot_be_coloured(training, config, caplog):
    colorist = Colorist(training.model, device="cpu")
    with pytest.raises(PictureError, match="a style of 1 x 1 pixels tells too little"):
        colorist(drawing(), np.zeros((1, 1, 3), np.uint8))
    with pytest.raises(OptionError, match="the point 96,2 lies outside"):
        colorist(drawing(), cartoon(), points=[Point(x=96, y=2, color=(0, 0, 0))])
    with pytest.raises(OptionError, match="colours no sketches"):
        Colorist("microast/art")
    without = Colorist(style2paints.Model(dataclasses.replace(config, points=False)), device="cpu")
    with pytest.raises(OptionError, match="no colours at points"):
        without(drawing(), cartoon(), points=[Point(x=6, y=2, color=(0, 0, 0))])
    colorist(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8), cartoon())
    assert "looks like no drawing" in caplog.text


@pytest.fixture
def model_file(training, config, tmp_path):
    path = tmp_path / "model.safetensors"
    weights.save(path, training.model, Card(name="m", method="style2paints", config=dataclasses.asdict(config)))
    return str(path)


def test_the_command(model_file, tmp_path, monkeypatch, capsys):
    from sfumato.cli import main

    monkeypatch.chdir(tmp_path)
    Image.fromarray(drawing()).convert("L").save("sketch.png")
    Image.fromarray(cartoon()).save("face.png")
    call = ["colorize", "sketch.png", "--style", "face.png", "--model", model_file, "--hints", "50,50,#ff0000"]
    assert main(call) == 0
    assert capsys.readouterr().out == "sketch-face.png\n"
    with Image.open("sketch-face.png") as result:
        assert (result.size, result.mode) == ((96, 96), "RGB")
    assert main(call) == 2
    assert "exists already" in capsys.readouterr().err
    assert main([*call, "--overwrite", "--strength", "2"]) == 2
    assert "--strength 2" in capsys.readouterr().err
    Path("many").mkdir()
    for k in range(2):
        Image.fromarray(drawing()).save(f"many/{k}.png")
    assert main(["colorize", "many", "--style", "face.png", "--model", model_file, "-o", "out/"]) == 0
    assert sorted(p.name for p in Path("out").iterdir()) == ["0-face.png", "1-face.png"]
    Path("out/0-face.png").unlink()
    many = ["colorize", "many", "--style", "face.png", "--model", model_file, "-o", "out/"]
    assert main(many) == 2
    assert "--skip-existing leaves its picture out" in capsys.readouterr().err
    assert main([*many, "--skip-existing"]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("out/0-face.png\n", "1 of 2 pictures left out: their results are there\n")


def test_a_model_that_colours_is_told_to_other_commands(model_file, tmp_path, monkeypatch, capsys):
    from sfumato.cli import main

    monkeypatch.chdir(tmp_path)
    Image.fromarray(drawing()).save("sketch.png")
    for words in (["translate", "sketch.png"], ["stylize", "sketch.png", "--style", "sketch.png", "-o", "x.png"]):
        assert main([*words, "--model", model_file]) == 2
        assert "model.safetensors colours sketches: `sfumato colorize` takes it" in capsys.readouterr().err
