"""The recorded steps of the authors' own training code.

Adam's first step moves every weight by its learning rate, whichever way the gradient points, however small it is: where
a gradient is all rounding, rounding decides, and two steps later losses differ by some per cent. So the recorded steps
are compared with torch's own kernels in place of our faster ones (`plainly`); the first step, before any update, holds
with ours, too.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from parity.golden.fill import golden_fill, golden_image
from torch import Tensor, nn

from sfumato.methods import base
from sfumato.nets import layers, norms, sampling
from sfumato.nets.official import sorted_pairs

FOLDER = Path(__file__).parent / "golden"
TOLERANCE = 1e-3


def record(name: str) -> dict[str, Any]:
    """What was recorded of a method."""
    return json.loads((FOLDER / f"train_{name}.json").read_text())


def refill(network: nn.Module, keys: Mapping[str, tuple[int, ...]], prefix: str) -> None:
    """Gives a network whose layers stand in the authors' order their weights of the golden files."""
    theirs = sorted_pairs({key: torch.from_numpy(golden_fill(f"{prefix}.{key}", shape)) for key, shape in keys.items()})
    own = [key for key in network.state_dict() if not key.endswith("num_batches_tracked")]
    network.load_state_dict({k: t for k, (_, t) in zip(own, theirs, strict=True)}, strict=False)


def pictures(size: int, step: int) -> dict[str, Tensor]:
    """The batch of a step, RGB in [0, 1]."""
    return {
        "a": torch.from_numpy(golden_image(size, size, 3, 0.3 * step))[None],
        "b": torch.from_numpy(golden_image(size, size, 3, 1.0 + 0.3 * step))[None],
    }


def plainly(patch: pytest.MonkeyPatch) -> None:
    """Puts torch's own kernels in the place of ours."""
    patch.setattr(norms, "instance_norm", F.instance_norm)
    patch.setattr(layers.ReflectConv2d, "_fills_no_vector", lambda _self, _x: False)
    patch.setattr(sampling.BlurDown, "forward", lambda _self, x: halved(x))
    patch.setattr(layers.Double, "forward", lambda _self, x: doubled(x))


def halved(x: Tensor) -> Tensor:
    """Half the size by the blur as a convolution of each channel."""
    line = torch.tensor([1.0, 2, 1])
    weight = (torch.outer(line, line) / 16).expand(x.shape[1], 1, 3, 3)
    return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), weight, stride=2, groups=x.shape[1])


def doubled(x: Tensor) -> Tensor:
    """Twice the size by the blur as a transposed convolution of each channel."""
    line = torch.tensor([1.0, 3, 3, 1])
    weight = (torch.outer(line, line) / 16).expand(x.shape[1], 1, 4, 4)
    padded = F.pad(x, (1, 1, 1, 1), mode="replicate")
    return F.conv_transpose2d(padded, weight, stride=2, padding=2, groups=x.shape[1])[:, :, 1:-1, 1:-1]


def steps(
    training: base.Training, size: int, count: int, *, lr: float = 2e-4, weight_decay: float = 0.0
) -> list[dict[str, float]]:
    """Trains as the trainer does, in float32; the losses of each step by `group/term`."""
    optimizers = {
        group: torch.optim.Adam([p for n in networks for p in n.parameters()], lr, (0.5, 0.999), 1e-8, weight_decay)
        for group, networks in training.groups().items()
    }
    found = []
    for step in range(count):
        torch.manual_seed(step)
        lesson, losses = training.learn(pictures(size, step)), {}
        for group in training.order():
            parameters = [p for n in training.groups()[group] for p in n.parameters()]
            for p in training.parameters():
                p.requires_grad_(False)
            for p in parameters:
                p.requires_grad_(True)
            terms = next(lesson)
            sum(terms.values()).backward(inputs=parameters)
            optimizers[group].step()
            optimizers[group].zero_grad()
            losses |= {f"{group}/{name}": term.item() for name, term in terms.items()}
        next(lesson, None)
        found.append(losses)
    return found


def compare(
    found: Mapping[str, float], recorded: Mapping[str, float], names: Mapping[str, str], tolerance: float = TOLERANCE
) -> None:
    """Asserts that losses are the recorded ones; `names` says which is which."""
    for theirs, ours in names.items():
        error = abs(found[ours] - recorded[theirs]) / abs(recorded[theirs])
        assert error < tolerance, f"{theirs}: {found[ours]} is not {recorded[theirs]}"
