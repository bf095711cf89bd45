"""Files of SegFormer: tensors by Hugging Face's classic names or the authors' own, and what a config.json says of them.

The classic names are those in every `model.safetensors` there is: newer versions of transformers call the layers of a
network in memory otherwise, and write these.
"""

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from .segformer import EXPANSION, HEADS, REDUCTIONS, SHAPES, Shape

BODY = "segformer.encoder."
STAGES = (
    (r"patch_embed(\d)\.proj", "patch_embeddings.{}.proj"),
    (r"patch_embed(\d)\.norm", "patch_embeddings.{}.layer_norm"),
    (r"norm(\d)\.", "layer_norm.{}."),
    (r"block(\d)\.", "block.{}."),
)
"""The authors' names, whose stages count from 1, and the classic ones."""
PLACES = (
    (r"\.attn\.q\.", ".attention.self.query."),
    (r"\.attn\.sr\.", ".attention.self.sr."),
    (r"\.attn\.norm\.", ".attention.self.layer_norm."),
    (r"\.attn\.proj\.", ".attention.output.dense."),
    (r"(block\.\d+\.\d+)\.norm(\d)\.", r"\1.layer_norm_\2."),
    (r"\.mlp\.fc(\d)\.", r".mlp.dense\1."),
)
HEAD = (
    (r"linear_fuse\.conv\.", "linear_fuse."),
    (r"linear_fuse\.bn\.", "batch_norm."),
    (r"linear_pred\.", "classifier."),
)


def classic_keys(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors by the classic names, without the layer by which a file of ImageNet tells classes."""
    if not any(key.removeprefix("backbone.").startswith("patch_embed1.") for key in state):
        return {key: tensor for key, tensor in state.items() if not key.startswith("classifier.")}
    found: dict[str, Tensor] = {}
    for key, tensor in state.items():
        if key.startswith("decode_head."):
            if not key.startswith("decode_head.conv_seg."):  # which mmsegmentation makes and never uses
                found[_head_key(key)] = tensor
        elif not key.startswith("head."):
            found |= _body_keys(key.removeprefix("backbone."), tensor)
    return found


def _head_key(key: str) -> str:
    key = re.sub(r"linear_c(\d)\.", lambda m: f"linear_c.{int(m[1]) - 1}.", key)
    for pattern, classic in HEAD:
        key = re.sub(pattern, classic, key)
    return key


def _body_keys(key: str, tensor: Tensor) -> dict[str, Tensor]:
    """One tensor of the authors', that of keys and values as two."""
    for pattern, classic in STAGES:
        if found := re.match(pattern, key):
            key = classic.format(int(found[1]) - 1) + key[found.end() :]
            break
    for pattern, classic in PLACES:
        key = re.sub(pattern, classic, key)
    if ".attn.kv." not in key:
        return {BODY + key: tensor}
    keys, values = tensor.chunk(2)
    names = (BODY + key.replace(".attn.kv.", f".attention.self.{part}.") for part in ("key", "value"))
    return dict(zip(names, (keys, values), strict=True))


def make_of(shape: Shape) -> dict[str, Any]:
    """What a config.json says of a network of that shape."""
    return {
        "num_channels": 3,
        "num_encoder_blocks": 4,
        "hidden_sizes": list(shape.widths),
        "depths": list(shape.depths),
        "decoder_hidden_size": shape.head,
        "num_attention_heads": list(HEADS),
        "sr_ratios": list(REDUCTIONS),
        "mlp_ratios": [EXPANSION] * 4,
        "patch_sizes": [7, 3, 3, 3],
        "strides": [4, 2, 2, 2],
        "hidden_act": "gelu",
    }


def check_make(config: Mapping[str, Any], shape: Shape) -> None:
    """Checks that a config.json, perhaps empty, is of a network of that shape.

    Raises:
        ValueError: it is not; the first difference is named.
    """
    for key, value in make_of(shape).items():
        if key in config and config[key] != value:
            raise ValueError(f"config: {key} is {config[key]}, where these tensors need {value}")


def variant_of(state: Mapping[str, Tensor]) -> str:
    """Which of the authors' networks has tensors of these shapes.

    Raises:
        KeyError: none.
    """
    first = f"{BODY}patch_embeddings.0.proj.weight"
    if first not in state:
        raise KeyError(f"not a SegFormer: there is no {first}, nor patch_embed1.proj.weight")
    blocks = {tuple(found.groups()) for key in state if (found := re.match(rf"{BODY}block\.(\d+)\.(\d+)\.", key))}
    depths = tuple(sum(stage == str(s) for stage, _ in blocks) for s in range(4))
    width = state[first].shape[0]
    for variant, shape in SHAPES.items():
        if (shape.widths[0], shape.depths) == (width, depths):
            return variant
    raise KeyError(f"no SegFormer of a known size: its first stage has {width} channels, its stages {depths} blocks")
