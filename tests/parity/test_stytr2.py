"""StyTr2 against a plain transcription of the paper's code, with weights that are formulas; its files are read."""

import pytest
import torch
from parity.golden.fill import golden_fill

import sfumato
from sfumato.errors import OptionError, WeightsError
from sfumato.methods import stytr2

ROLES = stytr2.OFFICIAL_ROLES


@pytest.fixture(scope="module")
def theirs(plain):
    model = plain("plain_stytr2").StyTr2().eval()
    model.load_state_dict({k: torch.from_numpy(golden_fill(k, tuple(v.shape))) for k, v in model.state_dict().items()})
    return model


@pytest.fixture(scope="module")
def files(theirs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stytr2")
    for role in ROLES:
        torch.save(getattr(theirs, role).state_dict(), folder / f"{role}_iter_160000.pth")
    return {role: folder / f"{role}_iter_160000.pth" for role in ROLES}


@pytest.fixture(scope="module")
def model(files):
    return sfumato.import_official("stytr2", files)


@torch.inference_mode()
@pytest.mark.parametrize("side", [64, 160])
def test_output(theirs, model, picture, equal, side):
    content, style = picture(side, side), picture(side, side, 1.0)
    equal(model(content, style), theirs(content, style))


def test_the_network_has_the_authors_weights(model):
    assert sum(p.numel() for p in model.parameters()) == 35_394_115
    assert len(model.transformer.state_dict()) == 130
    assert sum(p.numel() for p in model.transformer.parameters()) == 31_790_080


@torch.inference_mode()
@pytest.mark.parametrize(("size", "style_size"), [((50, 77), (33, 120)), ((8, 200), (1, 1)), ((3, 5), (64, 64))])
def test_any_size_and_a_style_of_another(model, picture, size, style_size):
    result = model(picture(*size), picture(*style_size, 1.0))
    assert result.shape == (1, 3, *size)
    assert bool(torch.isfinite(result).all())


def test_wrong_files_are_refused(files):
    with pytest.raises(OptionError, match="needs the files embedding, transformer, decoder"):
        sfumato.import_official("stytr2", {"embedding": files["embedding"]})
    with pytest.raises(WeightsError, match="not the file for embedding"):
        sfumato.import_official("stytr2", dict(zip(ROLES, [files[r] for r in ("decoder", "transformer", "embedding")])))
