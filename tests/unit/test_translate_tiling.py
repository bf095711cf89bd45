"""A picture in tiles comes out as the whole at once."""

import copy
import functools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from stylizers import as_tensor, made_photo, make_adain, make_microast

from sfumato import zoo
from sfumato.errors import Cancelled
from sfumato.image import Box, from_any, tiles
from sfumato.methods import microast
from sfumato.nets.norms import ConvMean, Moments, blend
from sfumato.options import Options
from sfumato.translate import Translator, tiling
from sfumato.translate.masks import Masks
from sfumato.translate.tiling import Work, render

MODELS = {"microast": functools.cache(make_microast), "adain": functools.cache(make_adain)}
LIMIT = 1e-4


def in_tiles(model, content, code, *, strength=1.0, tile=64, report=lambda done, total: None, room=0):
    """The result (1, 3, H, W) that the tiles make together; `code` is a function of a box."""
    result = torch.full_like(content, torch.nan)

    def keep(part, core):
        result[:, :, *part.core.slices] = core

    work = Work(content=lambda box: content[:, :, *box.slices], code=code, strength=strength, keep=keep)
    cut = tiles(*content.shape[2:], tile, model.halo, model.stride)
    with torch.inference_mode():
        even = tuple(part.mean((2, 3), keepdim=True) for part in code(cut[0].padded))
        render(model, work, cut, report, plan=tiling.trace(model, even, strength, torch.device("cpu")), room=room)
    return result


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_tiles_equal_the_whole(name, data):
    model = MODELS[name]()
    height, width = (model.stride * data.draw(st.integers(2, 40 if side else 20), label="cells") for side in range(2))
    tile = data.draw(st.integers(1, 120), label="tile")
    if height * width > 40 * tile**2:
        tile = max(tile, 32)
    strength = data.draw(st.sampled_from([1.0, 0.6, 0.0]), label="strength")
    content = as_tensor(made_photo(height, width, seed=data.draw(st.integers(0, 99), label="seed")))
    with torch.inference_mode():
        code = model.encode_style(as_tensor(made_photo(48, 40, seed=7)))
        whole = model.render(content, code, strength)
    room = data.draw(st.sampled_from([0, 100_000, 2**40]), label="room")
    parts = in_tiles(model, content, lambda box: code, strength=strength, tile=tile, room=room)
    assert whole.std() > 0.05
    assert (parts - whole).abs().max() < LIMIT


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_tiles_equal_the_whole_where_masks_mix_styles(name, data):
    model = MODELS[name]()
    height, width = (model.stride * data.draw(st.integers(3, 24), label="cells") for _ in range(2))
    picture = from_any(made_photo(height, width))
    shades = np.linspace(0, 255, width).astype(np.uint8)[None].repeat(height, 0)
    masks = Masks([shades, 255 - shades, shades // 2], picture, size=(height, width), shares=(0.5, 0.3, 0.2))
    with torch.inference_mode():
        codes = [model.encode_style(as_tensor(made_photo(40, 40, seed=seed))) for seed in (1, 2, 3)]

        def code(box):
            return blend(codes, masks.weights(box, model.code_stride).split(1))

        whole = model.render(picture.tensor(), code(Box(0, 0, height, width)), 0.7)
    parts = in_tiles(model, picture.tensor(), code, strength=0.7, tile=data.draw(st.integers(24, 90), label="tile"))
    assert (parts - whole).abs().max() < LIMIT


def test_several_pictures_at_once():
    model = MODELS["microast"]()
    content = torch.cat([as_tensor(made_photo(64, 96, seed=seed)) for seed in (1, 2)])
    with torch.inference_mode():
        code = model.encode_style(torch.cat([as_tensor(made_photo(40, 40, seed=seed)) for seed in (3, 4)]))
        whole = model.render(content, code, 0.5)
    assert (in_tiles(model, content, lambda box: code, strength=0.5) - whole).abs().max() < LIMIT


@pytest.mark.parametrize("tile", [40, 128])
def test_the_official_weights_in_tiles(real_data, tile):
    folder = real_data / "weights" / "microast"
    files = {role: folder / f"{role}_iter_160000.pth.tar" for role in microast.OFFICIAL_ROLES}
    model = zoo.import_official("microast", files)
    content, style = as_tensor(made_photo(200, 264)), as_tensor(made_photo(128, 128, seed=9))
    for strength in (1.0, 0.5):
        with torch.inference_mode():
            code = model.encode_style(style)
            whole = model.render(content, code, strength)
        parts = in_tiles(model, content, lambda box, code=code: code, strength=strength, tile=tile)
        assert (parts - whole).abs().max() < LIMIT


@pytest.mark.parametrize("name", MODELS)
def test_the_margin_is_as_wide_as_what_a_pixel_sees(name, monkeypatch):
    """With the statistics given, no pixel beyond the halo has an influence, and one near its edge has."""
    model = copy.deepcopy(MODELS[name]())
    for parameter in model.parameters():  # nothing cancels, every ReLU is open
        parameter.abs_().add_(0.01)
    side = 3 * model.halo // 8 * 8
    content = as_tensor(made_photo(16, 2 * side)).requires_grad_()
    code = model.encode_style(as_tensor(made_photo(40, 40)))
    for kind in (Moments, ConvMean):
        monkeypatch.setattr(
            kind, "forward", lambda _, x, *more: (torch.zeros_like(x[:, :, :1, :1]), torch.ones(1, 1, 1, 1))
        )
    seen = set()
    for phase in range(model.stride):
        result = model.render(content, code, 0.5)
        (gradient,) = torch.autograd.grad(result[..., side + phase].sum(), content)
        (columns,) = torch.nonzero(gradient.abs().sum((0, 1, 2)), as_tuple=True)
        first = side + phase - phase % model.stride  # tiles begin at multiples of the stride
        seen |= {first - int(columns.min()), int(columns.max()) + 1 - (first + model.stride)}
    assert max(seen) <= model.halo
    assert max(seen) > model.halo - 2 * model.stride


def test_the_largest_picture_is_looked_at_once_a_level(monkeypatch):
    model, content = MODELS["microast"](), as_tensor(made_photo(128, 128))
    code = model.encode_style(content)
    calls = []
    for module in model.modules():
        if isinstance(module, Moments):
            monkeypatch.setattr(module, "forward", lambda x, m=module, f=module.forward: calls.append(m) or f(x))
    in_tiles(model, content, lambda box: code, tile=64)
    decoder = model.decoder
    traced, first, second, last = 2, 4, 8, 8  # calls in the trial and in the passes over four tiles
    assert len(calls) == traced + first + second + last
    assert calls[2:6] == [decoder.moments1] * 4
    assert set(calls) == {decoder.moments1, decoder.moments2[0]}


@pytest.mark.parametrize(("room", "times"), [(0, 3 * 4), (2**40, 4), (2 * 116 * 116 * 2, 2 + 3 * 2)])
def test_features_are_kept_where_there_is_room(room, times, monkeypatch):
    """Of four tiles of 116 x 116 pixels, at 2 bytes for a pixel: 8 channels of 4 bytes for each 16 pixels."""
    model, content = MODELS["microast"](), as_tensor(made_photo(128, 128))
    code = model.encode_style(content)
    seen = []
    real = model.features
    monkeypatch.setattr(model, "features", lambda x, strength: seen.append(x.shape) or real(x, strength))
    done = []
    in_tiles(model, content, lambda box: code, room=room, report=lambda now, total: done.append(now / total))
    assert len(seen) - 1 == times  # one is a trial
    assert done == sorted(done)
    assert done[-2] > 0.97


def test_hooks_are_gone_afterwards():
    model, content = MODELS["microast"](), as_tensor(made_photo(64, 64))
    code = model.encode_style(content)
    in_tiles(model, content, lambda box: code, tile=32)
    with pytest.raises(Cancelled):
        in_tiles(model, content, lambda box: code, tile=32, report=lambda done, total: False)
    assert not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize("strength", [1.0, 0.5])
@pytest.mark.parametrize("tile", [0, 48])
def test_progress_goes_from_nothing_to_all(tile, strength):
    seen = []
    Translator(MODELS["microast"](), tile)(
        made_photo(100, 90), made_photo(40, 40), strength=strength, progress=lambda *now: seen.append(now)
    )
    done = [d for d, _ in seen]
    assert {total for _, total in seen} == {100 * 92}  # of the padded picture
    assert done == sorted(done)
    assert done[-1] == 100 * 92
    assert done[-2] > 0.97 * done[-1], "the work was reckoned too large"
    assert len(set(done)) > 15


@settings(max_examples=30, deadline=None)
@given(
    parts=st.lists(st.tuples(st.integers(1, 5), st.integers(1, 9)), min_size=1, max_size=6),
    offset=st.sampled_from([0.0, 1.0, 1000.0]),
)
def test_sums_of_parts_are_those_of_the_whole(parts, offset):
    draw = np.random.default_rng(len(parts))
    pieces = [draw.normal(offset, 1, (1, 2, h, w)) for h, w in parts]
    gathered = tiling._Sum()
    for piece in pieces:
        gathered.add(torch.from_numpy(piece))
    together = np.concatenate([piece.reshape(2, -1) for piece in pieces], 1)
    mean, deviation = gathered.statistic(torch.device("cpu"), 1)
    spread = together.var(1, ddof=1) if together.shape[1] > 1 else np.zeros(2)
    np.testing.assert_allclose(mean.flatten(), together.mean(1), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(deviation.flatten(), np.sqrt(spread + 1e-5), rtol=1e-3 if offset == 1000 else 1e-5)


def test_options_have_the_same_words_as_the_colours():
    import typing

    from sfumato.nets.colors import Colors

    words = typing.get_args(typing.get_type_hints(Options)["keep_colors"])
    assert set(words) - {"none"} == set(typing.get_args(Colors)) - {"style"}
