"""Pictures by optimisation: each wish of the caller shows in the picture."""

import math
from dataclasses import replace

import pytest
import torch

from sfumato.errors import FailedError, OptionError
from sfumato.losses.judge import Judge
from sfumato.methods import gatys
from sfumato.nets.colors import luminance
from sfumato.nets.frozen import Frozen
from sfumato.nets.perceptual import Perceptual, read_perceptual
from sfumato.nets.vgg import VGG

QUICK = gatys.Config(
    optimizer="adam",
    statistics="gram",
    iterations=(12, 8),
    smallest_px=16,
    style_px=32,
    smoothness=0.01,
    precision="float32",
)


@pytest.fixture(autouse=True)
def _one_thread():
    """On pictures this small two threads mostly wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def perceptual():
    return read_perceptual(("compact",))


def picture(seed: int, height: int, width: int, color=(0.5, 0.5, 0.5)):
    """Blotches around a colour."""
    coarse = torch.rand(1, 3, height // 4 + 1, width // 4 + 1, generator=torch.Generator().manual_seed(seed))
    large = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")
    return (torch.tensor(color)[:, None, None] + (large - 0.5) * 0.5).clamp(0, 1)


CONTENT, RED, BLUE = picture(0, 36, 44), picture(1, 40, 32, (0.8, 0.2, 0.2)), picture(2, 32, 40, (0.2, 0.2, 0.8))


def judged(perceptual, config, image, content=None, styles=(RED,)):
    """The loss of a picture at full size in float32, whatever made it."""
    judge = Judge(Frozen(perceptual, borders="replicate"), dict.fromkeys(config.style_layers, config.style_weight / 5))
    judge.ask_styles([gatys.fit(s, config.style_px) for s in styles], [1 / len(styles)] * len(styles))
    if content is not None:
        judge.ask_content(content, "relu4_1", config.content_weight)
    return judge(image)[0]


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
@pytest.mark.parametrize("statistics", ["gram", "wasserstein"])
def test_the_loss_falls_in_every_way_of_going_down(perceptual, optimizer, statistics):
    losses = []
    config = replace(QUICK, optimizer=optimizer, statistics=statistics, smallest_px=64, iterations=(25,))
    result = gatys.Model(config, perceptual)(CONTENT, RED, progress=lambda i, n, loss, show: losses.append(loss))
    assert result.shape == CONTENT.shape
    assert len(losses) == 25
    assert losses[-1] < 0.5 * losses[0]
    assert judged(perceptual, config, result, CONTENT) < 0.8 * judged(perceptual, config, CONTENT, CONTENT)
    assert result.min() >= 0
    assert result.max() <= 1


def test_lbfgs_comes_further_in_the_same_number_of_looks(perceptual):
    one = replace(QUICK, smallest_px=64, iterations=(40,))
    adam, lbfgs = (
        judged(perceptual, one, gatys.Model(replace(one, optimizer=o), perceptual)(CONTENT, RED), CONTENT)
        for o in ("adam", "lbfgs")
    )
    assert lbfgs < adam


def test_sizes_grow_and_each_has_its_number_of_iterations(perceptual):
    seen = []
    config = replace(QUICK, iterations=(5, 3, 2), smallest_px=16, style_px=64)
    content = picture(0, 64, 48)
    gatys.Model(config, perceptual)(
        content, RED, progress=lambda i, n, loss, show: seen.append((i, n, loss, show().shape))
    )
    assert [(i, n) for i, n, _, _ in seen] == [(i + 1, 10) for i in range(10)]  # 16, 32, 64 pixels
    assert {shape for *_, shape in seen} == {(1, 3, 64, 48)}
    seen.clear()
    gatys.Model(replace(config, smallest_px=64), perceptual)(
        content, RED, progress=lambda i, n, loss, show: seen.append((i, n))
    )
    assert seen == [(i + 1, 5) for i in range(5)]


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_larger_size_starts_better_from_a_smaller_one_than_from_the_content(perceptual, optimizer):
    def first_at_full_size(config, index):
        losses = []
        gatys.Model(config, perceptual)(CONTENT, RED, progress=lambda i, n, loss, show: losses.append(loss))
        return losses[index]

    config = replace(QUICK, optimizer=optimizer, iterations=(20, 2), smallest_px=16, style_px=44)
    alone = replace(config, smallest_px=44, iterations=(2,))
    assert first_at_full_size(config, 20) < first_at_full_size(alone, 0)


def test_the_same_seed_gives_the_same_picture_and_another_another(perceptual):
    config = replace(QUICK, start="normal", iterations=(3,))
    first, again, other = (gatys.Model(replace(config, seed=seed), perceptual)(CONTENT, RED) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert (first - other).abs().mean() > 0.01


@pytest.mark.parametrize("start", ["content", "style", "gray", "uniform", "normal", "style_stats"])
def test_every_start_is_what_it_says_and_leads_on(perceptual, start):
    config = replace(QUICK, start=start, iterations=(1,), smallest_px=64, averaging=0)
    image = gatys.Model(config, perceptual)(CONTENT, RED)  # one look: the start itself
    if start == "content":
        torch.testing.assert_close(image, CONTENT)
    elif start == "gray":
        assert (image - 0.5).abs().max() <= 0.011
    elif start == "uniform":
        assert image.std() == pytest.approx(math.sqrt(1 / 12), abs=0.02)
    elif start == "normal":
        assert image.std() == pytest.approx(0.25, abs=0.03)
    else:
        torch.testing.assert_close(image.mean((2, 3)), RED.mean((2, 3)), atol=0.05, rtol=0)
    more = gatys.Model(replace(config, iterations=(20,), optimizer="lbfgs"), perceptual)(CONTENT, RED)
    assert judged(perceptual, config, more, CONTENT) < judged(perceptual, config, image, CONTENT)


def test_a_picture_to_start_from_is_started_from(perceptual):
    config = replace(QUICK, iterations=(1,), smallest_px=64, averaging=0)
    torch.testing.assert_close(
        gatys.Model(config, perceptual)(CONTENT, RED, start=picture(5, 36, 44)), picture(5, 36, 44)
    )
    assert gatys.Model(config, perceptual)(CONTENT, RED, start=BLUE).shape == CONTENT.shape


def test_several_styles_go_by_their_weights(perceptual):
    model = gatys.Model(replace(QUICK, style_weight=100.0, iterations=(12,), optimizer="lbfgs"), perceptual)
    red, mixed, blue = (model(CONTENT, [RED, BLUE], weights).mean((0, 2, 3)) for weights in ([1, 0], [1, 1], [0, 1]))
    assert red[0] > mixed[0] + 0.02 > blue[0] + 0.04
    assert red[2] < mixed[2] - 0.02 < blue[2] - 0.04
    torch.testing.assert_close(model(CONTENT, [RED, BLUE], [1, 0]), model(CONTENT, RED))
    torch.testing.assert_close(model(CONTENT, [RED, BLUE], [3, 3]), model(CONTENT, [RED, BLUE]))


def ramp(soft: int):
    """Ones on the left, `soft` columns of a slope, zeros on the right: (1, 1, 36, 44)."""
    return ((22 + soft / 2 - torch.arange(44) - 0.5) / soft).clamp(0, 1).expand(1, 1, 36, 44)


@pytest.mark.parametrize("soft", [1, 20])
@pytest.mark.parametrize("statistics", ["gram", "wasserstein"])
def test_each_region_goes_to_its_style_and_no_gap_is_left_at_soft_borders(perceptual, soft, statistics):
    config = replace(
        QUICK, style_weight=300.0, iterations=(40,), statistics=statistics, optimizer="lbfgs", smallest_px=64
    )
    left = ramp(soft)
    result = gatys.Model(config, perceptual)(CONTENT, [RED, BLUE], masks=[left, 1 - left])
    start, end = result[..., :10].mean((0, 2, 3)), result[..., -10:].mean((0, 2, 3))
    assert start[0] > start[2] + 0.1
    assert end[2] > end[0] + 0.1
    change = (result - CONTENT).abs().mean((0, 1, 2))
    assert change[17:27].mean() > 0.5 * min(change[:12].mean(), change[-12:].mean())


def test_what_no_mask_covers_stays_and_weights_share_overlaps(perceptual):
    config = replace(QUICK, style_weight=300.0, iterations=(30,), optimizer="lbfgs", smallest_px=64)
    model = gatys.Model(replace(config, style_layers=("relu1_1", "relu2_1")), perceptual)  # they do not see far
    result = model(CONTENT, RED, masks=[ramp(1)])
    change = (result - CONTENT).abs().mean((0, 1, 2))
    assert change[-8:].mean() < 0.2 * change[:16].mean()
    everywhere = torch.ones(1, 1, 9, 11)
    torch.testing.assert_close(
        model(CONTENT, [RED, BLUE], [1, 0], masks=[everywhere, everywhere]), model(CONTENT, RED), atol=0.02, rtol=0
    )


def test_colors_are_kept_in_each_way(perceptual):
    def paint(colors):
        config = replace(QUICK, colors=colors, style_weight=100.0, iterations=(20,), optimizer="lbfgs")
        return gatys.Model(config, perceptual)(CONTENT, RED)

    shifts = {
        colors: (paint(colors).mean((0, 2, 3)) - CONTENT.mean((0, 2, 3))).abs().max()
        for colors in ("style", "coral", "histogram")
    }
    assert shifts["coral"] < 0.5 * shifts["style"]
    assert shifts["histogram"] < 0.5 * shifts["style"]
    kept = paint("luminance")
    hue, wanted = kept - luminance(kept), CONTENT - luminance(CONTENT)
    assert torch.nn.functional.cosine_similarity(hue, wanted, 1).median() > 0.999


def test_strokes_keep_their_size_in_pixels_or_grow_with_the_picture(perceptual):
    def seen(side, strokes, monkeypatch_sizes):
        config = replace(QUICK, strokes=strokes, style_px=48, smallest_px=512, iterations=(1,))
        original = gatys.fit
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                gatys, "fit", lambda image, longest: monkeypatch_sizes.append(longest) or original(image, longest)
            )
            gatys.Model(config, perceptual)(picture(0, side, side), RED)
        return monkeypatch_sizes

    assert seen(64, "pixels", []) == seen(32, "pixels", []) == [48]
    assert seen(512, "picture", []) == [48]
    assert seen(256, "picture", []) == [24]


def test_false_from_progress_stops_and_keeps_what_there_is(perceptual):
    steps = []

    def progress(step, steps_total, loss, preview):
        steps.append(preview())
        return step < 20

    config = replace(QUICK, iterations=(3, 50), smallest_px=16, style_px=44, optimizer="lbfgs")
    result = gatys.Model(config, perceptual)(CONTENT, RED, progress=progress)
    assert len(steps) == 20
    torch.testing.assert_close(result, steps[-1])
    assert judged(perceptual, config, result, CONTENT) < judged(perceptual, config, CONTENT, CONTENT)


def test_an_error_in_progress_is_the_callers(perceptual):
    def progress(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gatys.Model(QUICK, perceptual)(CONTENT, RED, progress=progress)


def test_bfloat16_comes_as_far(perceptual):
    config = replace(QUICK, iterations=(40,), smallest_px=64, optimizer="lbfgs")
    exact, fast = (
        judged(perceptual, config, gatys.Model(replace(config, precision=p), perceptual)(CONTENT, RED), CONTENT)
        for p in ("float32", "bfloat16")
    )
    assert fast < 1.15 * exact


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_step_to_no_number_is_taken_back(perceptual, optimizer, monkeypatch):
    looks, original = [], Judge.__call__

    def sometimes(self, image):
        looks.append(self.network.chains[0].dtype)
        loss, gradient = original(self, image)
        return (math.nan if len(looks) in {3, 30, 31} else loss), gradient

    monkeypatch.setattr(Judge, "__call__", sometimes)
    config = replace(QUICK, optimizer=optimizer, precision="bfloat16", iterations=(40,), smallest_px=64)
    result = gatys.Model(config, perceptual)(CONTENT, RED)
    assert result.isfinite().all()
    assert len(looks) == 43
    assert looks[:3] == [torch.bfloat16] * 3
    assert looks[3:] == [torch.float32] * 40
    monkeypatch.undo()
    assert judged(perceptual, config, result, CONTENT) < 0.8 * judged(perceptual, config, CONTENT, CONTENT)


def test_features_beyond_half_precision_do_no_harm_and_those_beyond_all_are_an_error(perceptual):
    large = VGG(19, "relu2_1", widths=(4, 4), flavour="torchvision")
    for conv in large.convs.values():
        conv.weight.data *= 200
    config = replace(QUICK, precision="bfloat16", iterations=(10,))
    assert gatys.Model(config, Perceptual([large]))(CONTENT, RED).isfinite().all()
    for conv in large.convs.values():
        conv.weight.data *= 1e12
    with pytest.raises(FailedError, match="not finite at iteration 1 of 20"):
        gatys.Model(config, Perceptual([large]))(CONTENT, RED)
    with pytest.raises(FailedError, match="not finite"):
        gatys.Model(QUICK, perceptual)(CONTENT * math.nan, RED)


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (17, 90)])
def test_every_size_of_content_and_style_works(perceptual, size):
    model = gatys.Model(replace(QUICK, iterations=(2,)), perceptual)
    assert model(picture(0, *size), RED).shape == (1, 3, *size)
    assert model(CONTENT, picture(0, *size)).shape == CONTENT.shape


def test_networks_that_end_early_or_lack_layers_give_the_layers_they_have():
    torch.manual_seed(0)
    short = Perceptual([VGG(19, "relu3_1", widths=(4, 4, 4))])
    seen = []
    gatys.Model(replace(QUICK, iterations=(1,)), short)(CONTENT, RED, progress=lambda *a: seen.append(a))
    assert len(seen) == 2
    whole = gatys._Run(gatys.Model(QUICK, Perceptual([VGG(19, "relu5_1", widths=(1, 1, 1, 1, 1))])), scene(), None)
    assert (whole.content_layer, gatys._Run(gatys.Model(QUICK, short), scene(), None).content_layer) == (
        "relu4_2",
        "relu3_1",
    )
    with pytest.raises(OptionError, match="relu5_1"):
        gatys.Model(replace(QUICK, style_layers=("relu5_1",)), short)(CONTENT, RED)
    with pytest.raises(OptionError, match="relu0_1"):
        gatys.Model(replace(QUICK, content_layer="relu0_1"), short)(CONTENT, RED)


def scene():
    return gatys._Scene(size=(36, 44), content=CONTENT, styles=(RED,), weights=(1.0,))


def test_what_does_not_go_together_is_named(perceptual):
    model = gatys.Model(QUICK, perceptual)
    with pytest.raises(OptionError, match="no style"):
        model(CONTENT, [])
    with pytest.raises(OptionError, match=r"\(1,\) for 2 styles"):
        model(CONTENT, [RED, BLUE], [1])
    with pytest.raises(OptionError, match="not all 0"):
        model(CONTENT, [RED, BLUE], [0, 0])
    with pytest.raises(OptionError, match="not negative"):
        model(CONTENT, [RED, BLUE], [-1, 2])
    with pytest.raises(OptionError, match="1 masks for 2 styles"):
        model(CONTENT, [RED, BLUE], masks=[ramp(1)])
    with pytest.raises(OptionError, match=r"\(36, 44\)"):
        model(CONTENT, RED, masks=[ramp(1)[0, 0]])
    with pytest.raises(OptionError, match="2 layer weights for 5"):
        gatys.Model(replace(QUICK, layer_weights=(1.0, 2.0)), perceptual)(CONTENT, RED)
    with pytest.raises(OptionError, match="0 x 5"):
        model.texture(RED, (5, 0))
    with pytest.raises(OptionError, match=r"\(2, 3, 36, 44\)"):
        model(CONTENT.repeat(2, 1, 1, 1), RED)
    with pytest.raises(OptionError, match=r"\(3, 40, 32\)"):
        model(CONTENT, RED[0])


def test_it_works_inside_inference_mode_and_leaves_its_inputs_alone(perceptual):
    content, style = CONTENT.clone(), RED.clone()
    with torch.inference_mode():
        frozen = CONTENT.clone()
        result = gatys.Model(replace(QUICK, iterations=(3,)), perceptual)(frozen, RED.clone())
    assert not result.requires_grad
    with torch.autocast("cpu", dtype=torch.bfloat16):
        again = gatys.Model(replace(QUICK, iterations=(3,)), perceptual)(CONTENT, RED)
    assert torch.equal(again, result)
    gatys.Model(replace(QUICK, colors="coral"), perceptual)(content, style)
    assert torch.equal(content, CONTENT)
    assert torch.equal(style, RED)


@pytest.mark.parametrize("size", [32, (24, 50)])
def test_a_texture_has_the_styles_statistics_and_values(perceptual, size):
    config = replace(QUICK, optimizer="lbfgs", iterations=(40,), smoothness=0)
    result = gatys.Model(config, perceptual).texture(RED, size)
    shape = (size, size) if isinstance(size, int) else size
    assert result.shape == (1, 3, *shape)
    start = gatys.noise("style_stats", shape, RED, 0)
    assert judged(perceptual, config, result) < 0.3 * judged(perceptual, config, start)
    torch.testing.assert_close(result.mean((2, 3)), RED.mean((2, 3)), atol=1e-3, rtol=0)
    assert (
        gatys.Model(replace(config, iterations=(1,)), perceptual).texture([RED, BLUE], 16, weights=[1, 2]).shape[-1]
        == 16
    )


@pytest.mark.parametrize("size", [(48, 32), (37, 41)])
def test_a_seamless_texture_goes_on_across_its_border(perceptual, size):
    config = replace(QUICK, optimizer="lbfgs", iterations=(40, 30), smallest_px=16, style_px=64)
    style = picture(3, 64, 64)

    def seam(image):
        """Steps across the border over steps within."""
        ratios = []
        for dim in (-2, -1):
            steps = (image - image.roll(1, dim)).square()
            ratios.append((steps.select(dim, 0).mean() / steps.mean()).item())
        return max(ratios)

    tiled = gatys.Model(config, perceptual).texture(style, size, seamless=True)
    open_ended = gatys.Model(config, perceptual).texture(style, size)
    assert tiled.shape == (1, 3, *size)
    assert seam(tiled) < 2
    assert seam(open_ended) > 2 * seam(tiled)


def test_rolling_a_seamless_texture_changes_nothing_for_the_judge(perceptual):
    judge = Judge(Frozen(perceptual, borders="wrap"), {"relu1_1": 1.0, "relu3_1": 1.0, "relu5_1": 1.0}, smoothness=1.0)
    judge.ask_styles([RED], [1.0])
    image = picture(4, 32, 48)
    loss, gradient = judge(image)
    rolled, rolled_gradient = judge(image.roll((16, 32), (2, 3)))
    assert rolled == pytest.approx(loss, rel=1e-5)
    torch.testing.assert_close(rolled_gradient, gradient.roll((16, 32), (2, 3)), atol=1e-6, rtol=1e-3)
