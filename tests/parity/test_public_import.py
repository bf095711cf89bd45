"""`sfumato.import_official` on the authors' files as they lie on a disk."""

import json

import pytest
import torch

import sfumato


@pytest.mark.parametrize("method", ["adain", "microast"])
@torch.inference_mode()
def test_the_model_of_the_files_gives_the_recorded_output(golden, picture, equal, method, tmp_path):
    recorded = golden(method)
    files = {}
    for role, state in recorded.states.items():
        files[role] = tmp_path / f"{role}.pth"
        torch.save(state | (deeper(recorded) if role == "vgg" else {}), files[role])
    model = sfumato.import_official(method, files)
    assert not model.training
    equal(model(picture(64, 64), picture(64, 80, 1.0)), recorded["output"])


def deeper(recorded) -> dict[str, torch.Tensor]:
    """The rest of `vgg_normalised.pth`, from relu4_2 to relu5_4."""
    shapes = json.loads(str(recorded.arrays["meta"]))["keys"]["vgg_normalised.pth"]
    return {key: torch.zeros(shape) for key, shape in shapes if key not in recorded.states["vgg"]}
