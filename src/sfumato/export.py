"""Models for other programs: ONNX, checked against this one; parsers as transformers has them.

Inputs and outputs are RGB in [0, 1], float32, of any size: the graph itself mirrors a picture up to the multiples that
its network needs, as `translate` does, and cuts the result.

    image (B, 3, H, W) -> result (B, 3, H, W)                                            generators
    content (B, 3, H, W), style (B, 3, h, w), strength () -> result (B, 3, H, W)         stylizers
"""

import importlib.util
import json
import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors.torch
import torch
from torch import Tensor, nn

from . import weights, zoo
from .errors import ExportError, OptionError
from .methods import segformer
from .methods.base import ImageToImage, Stylizer

if TYPE_CHECKING:
    from onnx import ModelProto

PACKAGES = ("onnx", "onnxscript", "onnxruntime")
TRANSFORMERS = ("model.safetensors", "config.json", "preprocessor_config.json")
"""Files of a parser as transformers has them."""
TRACED = (52, 76)
"""Height and width, in pixels, of the picture that the graph is recorded with."""
CHECKED = ((64, 64), (45, 91))
"""Sizes that it is checked with; U-Nets see them mirrored to 256 and more."""
STRENGTHS = (1.0, 0.4)
LARGEST = 1 / 255
"""The largest difference from the result of torch that passes: one step of an 8-bit picture,"""
MEAN = 1e-4
"""and the largest mean difference."""


@dataclass(frozen=True, kw_only=True)
class Exported:
    """An ONNX file that was checked.

    Attributes:
        path: the file.
        largest: the largest difference from torch's result over all checks, in [0, 1].
        mean: the mean difference of the worst check.
        bytes: size of the file.
    """

    path: Path
    largest: float
    mean: float
    bytes: int


def export_onnx(name: str | Path, path: str | Path) -> Exported:
    """Writes a model as one ONNX file, its card inside, once ONNX Runtime has given the same pictures as torch.

    Args:
        name: a model's name or its .safetensors file; generators and stylizers.
        path: the file to write; it is replaced.

    Raises:
        OptionError: packages are missing, or the model is of another kind or draws noise.
        WeightsError: there is no such model, or it is damaged.
        ExportError: ONNX Runtime gives other pictures; nothing is written then.
        DiskError: the file cannot be written.
    """
    check_packages()
    model = zoo.load(name)
    if not isinstance(model, ImageToImage | Stylizer):
        raise OptionError(f"{name} makes no pictures by itself; export takes generators and stylizers")
    if isinstance(model, ImageToImage) and model.draws:
        raise OptionError(f"{name} draws noise for each picture, which a graph cannot hold; it is not exported")
    if isinstance(model, ImageToImage) and model.classes:
        raise OptionError(f"{name} takes a class and noise beside the picture; export takes models of a picture alone")
    whole = AnySize(model).eval()
    proto = _graph(whole)
    card = zoo.card(name)
    for key, value in (("card", card.to_json()), ("name", card.name), ("licence", card.licence)):
        proto.metadata_props.add(key=key, value=value)
    content = proto.SerializeToString()
    largest, mean = check(whole, content)
    with weights.replacing(path) as file:
        file.write(content)
    return Exported(path=Path(path), largest=largest, mean=mean, bytes=len(content))


def export_transformers(name: str | Path, folder: str | Path) -> list[Path]:
    """Writes a parser as the three files that Hugging Face's transformers reads: weights, config and processor.

    `SegformerForSemanticSegmentation.from_pretrained(folder)` takes them, and so does `zoo.import_official`.

    Args:
        name: a parser's name or its .safetensors file; of the method segformer.
        folder: where to write; files of these names are replaced.

    Raises:
        OptionError: the model is of another kind.
        WeightsError: there is no such model, or it is damaged.
        DiskError: a file cannot be written.
    """
    model = zoo.load(name)
    if not isinstance(model, segformer.Model):
        raise OptionError(f"{name} is no parser; transformers knows none of the other models")
    tensors, config = segformer.official(model)
    stored = safetensors.torch.save({k: t.contiguous() for k, t in tensors.items()}, {"format": "pt"})
    texts = [(json.dumps(values, indent=2) + "\n").encode() for values in (config, segformer.PROCESSOR)]
    paths = [Path(folder) / file for file in TRANSFORMERS]
    for path, content in zip(paths, (stored, *texts), strict=True):
        with weights.replacing(path) as file:
            file.write(content)
    return paths


def check_packages() -> None:
    """Checks that what exporting needs is installed.

    Raises:
        OptionError: it is not; the line tells what to do.
    """
    if missing := [package for package in PACKAGES if importlib.util.find_spec(package) is None]:
        raise OptionError(f"exporting needs {', '.join(missing)}: pip install 'sfumato[onnx]'")


class AnySize(nn.Module):
    """A model that takes pictures of any size and gives [0, 1], as it goes into the file."""

    def __init__(self, model: ImageToImage | Stylizer) -> None:
        super().__init__()
        self.model = model
        self.inputs = ("content", "style", "strength") if isinstance(model, Stylizer) else ("image",)

    def forward(self, image: Tensor, *others: Tensor) -> Tensor:
        height, width = image.shape[2:]
        stride = self.model.stride
        style = (mirrored(others[0], 1, 2 * stride), *others[1:]) if others else ()
        result: Tensor = self.model(mirrored(image, stride, 2 * stride), *style)
        return result[:, :, :height, :width].clamp(0, 1)

    def example(self, height: int, width: int, strength: float = 1.0, count: int = 1) -> tuple[Tensor, ...]:
        """Inputs to try it with, the same each time."""
        draw = torch.Generator().manual_seed(0)
        image = torch.rand(count, 3, height, width, generator=draw)
        if len(self.inputs) == 1:
            return (image,)
        return image, torch.rand(count, 3, width + 3, height + 8, generator=draw), torch.tensor(strength)


def mirrored(images: Tensor, stride: int, least: int) -> Tensor:
    """Images (B, C, H, W) continued to the right and downwards, mirrored without repeating the edge.

    Args:
        stride: both sides become multiples of it,
        least: and at least this.
    """
    for axis in (2, 3):
        size = images.shape[axis]
        last = size - 1
        place = torch.arange(torch.sym_max((size + stride - 1) // stride * stride, least), device=images.device)
        place = place % torch.full((1,), torch.sym_max(2 * last, 1), dtype=place.dtype, device=images.device)
        images = images.index_select(axis, last - (last - place).abs())
    return images


def _graph(whole: AnySize) -> "ModelProto":
    dynamic, fixed = torch.export.Dim.DYNAMIC, dict[int, Any]()
    sizes = {0: dynamic, 2: dynamic, 3: dynamic}
    shapes = (sizes,) if len(whole.inputs) == 1 else (sizes, (sizes, fixed))
    quiet = logging.getLogger("torch.onnx")
    level = quiet.level
    quiet.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch's own exporter
            program = torch.onnx.export(
                whole,
                whole.example(*TRACED, count=2),
                dynamo=True,
                dynamic_shapes=shapes,
                input_names=list(whole.inputs),
                output_names=["result"],
                verbose=False,
            )
    finally:
        quiet.setLevel(level)
    assert program is not None
    proto: ModelProto = program.model_proto
    return proto


def check(whole: AnySize, content: bytes) -> tuple[float, float]:
    """Runs the graph by ONNX Runtime; the largest and the largest mean difference from torch's results.

    Raises:
        ExportError: they are not the same pictures.
    """
    import onnxruntime

    onnxruntime.set_default_logger_severity(3)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    gaps = [_gap(whole, session, size, strength) for size in CHECKED for strength in STRENGTHS[: len(whole.inputs)]]
    largest, mean = (max(column) for column in zip(*gaps, strict=True))
    if not (largest <= LARGEST and mean <= MEAN):
        raise ExportError(
            f"ONNX Runtime gives other pictures than torch: {255 * largest:.2g} of 255 apart at the most,"
            f" {255 * mean:.2g} on average; nothing was written"
        )
    return largest, mean


@torch.no_grad()
def _gap(whole: AnySize, session: Any, size: Sequence[int], strength: float) -> tuple[float, float]:
    example = whole.example(size[0], size[1], strength)
    expected = whole(*example).numpy()
    given = {name: tensor.numpy() for name, tensor in zip(whole.inputs, example, strict=True)}
    difference = np.abs(session.run(None, given)[0] - expected)
    return float(difference.max()), float(difference.mean())
