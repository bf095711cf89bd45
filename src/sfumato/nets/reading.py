"""Which generator a file of pytorch-CycleGAN-and-pix2pix or contrastive-unpaired-translation holds, by its keys.

Shapes are those of convolution weights: (C_out, C_in, k, k), of transposed ones (C_in, C_out, k, k).
"""

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

BLOCK = re.compile(r"model\.(\d+)\.conv_block\.(\d+)\.weight$")


def generator_settings(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """The fields of `GeneratorConfig` that fit the file.

    Args:
        state: tensors by key, cleaned as `nets.official` does.

    Raises:
        KeyError: it is no generator of these.
    """
    return _unet(state) if "model.model.0.weight" in state else _resnet(state)


def _resnet(state: Mapping[str, Tensor]) -> dict[str, Any]:
    found = [match for match in map(BLOCK.match, state) if match and state[match[0]].dim() == 4]
    if "model.1.weight" not in state or not found:
        raise KeyError("not a generator: neither model.1.weight and model.N.conv_block nor model.model.0.weight")
    blocks = {int(match[1]) for match in found}
    batch = any(key.endswith("running_mean") for key in state)
    first = state["model.1.weight"]
    return {
        "generator": "resnet",
        "width": first.shape[0],
        "blocks": len(blocks),
        "norm": "batch" if batch else "instance",
        "dropout": max(int(match[2]) for match in found) == 6,
        "antialias": min(blocks) == 12,
        "kernel": state[found[0][0]].shape[-1],
        "end_kernel": first.shape[-1],
    }


def _unet(state: Mapping[str, Tensor]) -> dict[str, Any]:
    return {
        "generator": "unet",
        "width": state["model.model.0.weight"].shape[0],
        "depth": max(key.count("model.") for key in state) - 1,
        "norm": "batch" if any(key.endswith("running_mean") for key in state) else "instance",
    }


def discriminator_settings(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """What `PatchDiscriminator` is made of: channels, width, layers, norm, antialias.

    Raises:
        KeyError: it is none.
    """
    weights = {
        int(k.split(".")[1]): t for k, t in state.items() if re.fullmatch(r"model\.\d+\.weight", k) and t.dim() == 4
    }
    if len(weights) < 3 or 0 not in weights:
        raise KeyError("not a discriminator: too few of model.N.weight")
    order = sorted(weights)
    return {
        "channels": weights[0].shape[1],
        "width": weights[0].shape[0],
        "layers": len(weights) - 2,
        "norm": "batch" if any(key.endswith("running_mean") for key in state) else "instance",
        "antialias": order[1] == 3,
    }
