"""SegFormer: which part of a person each place of a picture shows (Xie et al., NeurIPS 2021, arXiv:2105.15203).

A transformer looks at the whole picture, whatever its size, and tells the 18 parts of `parts.PARTS` apart: hair, face,
clothes, arms and legs. Labels may be incomplete, as those of sets that know of face and hair alone.

Shapes: B batch, H W pixels, K parts, h w cells of maps, a quarter of H and W.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from annotated_types import Ge, Le, Lt
from torch import Tensor, nn

from .. import weights
from ..errors import RecipeError
from ..losses.parts import balanced, may_be, partial_cross_entropy, soft_cross_entropy
from ..nets.segformer import SHAPES, SegFormer
from ..nets.segformer_files import BODY, check_make, classic_keys, make_of, variant_of
from ..parts import COLORS, EVERY, PARTS
from . import base

log = logging.getLogger(__name__)

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's colours."""
MOMENTUM = 0.01
"""Of the running shares of parts."""

Variant = Literal["b0", "b1", "b2", "b3", "b4", "b5", "tiny"]


@dataclass(frozen=True, kw_only=True)
class Config:
    variant: Variant = "b0"
    """One of the authors' sizes, or one for tests."""
    labels: tuple[str, ...] = PARTS
    """What the classes are called; trained are the 18 parts of a person alone."""
    side: Annotated[int, Ge(32)] = 512
    """Longest side of pictures when it is at work, in pixels: about that of those it learned from."""
    drop_path: Annotated[float, Ge(0), Lt(1)] = 0.1
    """Share of samples that skip a part of the last block in training; fewer skip earlier ones."""
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.1
    """Share of the head's channels that are dropped in training."""
    balance: Annotated[float, Ge(0), Le(1)] = 0.0
    """How far rare parts weigh more: with 0 all places count alike, as in the paper, with 1 all parts."""
    teacher: str = ""
    """File of a larger model, from whose probabilities this one learns, too; within what labels leave open."""
    teacher_weight: Annotated[float, Ge(0)] = 1.0
    """Of the teacher's word beside the labels'."""


class Model(SegFormer):
    """Pictures (B, 3, H, W), RGB in [0, 1], of any size -> logits (B, K, ceil(H/4), ceil(W/4)).

    It works best on pictures whose longest side is about `config.side`. A side of less than 29 pixels is seen with its
    last row or column repeated up to that, where transformers refuses the picture.
    """

    stride: ClassVar[int] = 32
    """Sides that are multiples of this are seen evenly; none need be."""
    mean: Tensor
    std: Tensor

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or Config()
        own = self.config
        super().__init__(SHAPES[own.variant], len(own.labels), drop=own.drop_path, dropout=own.dropout)
        for name, values in (("mean", MEAN), ("std", STD)):
            self.register_buffer(name, torch.tensor(values)[:, None, None], persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        return super().forward((images - self.mean) / self.std)


class Training(base.Training):
    """Each place learns to be one of the parts that its label leaves open.

    # Differs from the paper: labels may leave parts open, rare parts may weigh more, and a teacher may have a word.

    Raises:
        RecipeError: the classes are not the parts of a person, or the teacher cannot be used.
        WeightsError: the teacher's file is missing or damaged.
    """

    shares: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        if config.labels != PARTS:
            raise RecipeError(f"method.labels: {', '.join(config.labels)} are not the parts that data tell apart")
        self.config, self.model = config, Model(config)
        self.teacher = read_teacher(config) if config.teacher else None
        self.register_buffer("shares", torch.full((len(PARTS),), 1 / len(PARTS)))

    def groups(self) -> Mapping[str, Sequence[nn.Module]]:
        return {"network": [self.model]}

    def models(self) -> Mapping[str, nn.Module]:
        return {"parser": self.model}

    def learn(self, batch: Mapping[str, Tensor]) -> Iterator[base.Terms]:
        logits = self.model(batch["image"])
        yield {"parts": self._labelled(logits, batch["parts"]), **self._taught(logits, batch)}

    def _labelled(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss by labels (B, H, W), at their size; the shares of parts are remembered."""
        balance = self.config.balance
        own = balanced(self.shares, balance) if balance else None
        loss, shares = partial_cross_entropy(enlarged(logits, labels.shape[1:]), labels, own)
        self.shares.lerp_(shares, MOMENTUM)
        return loss

    def _taught(self, logits: Tensor, batch: Mapping[str, Tensor]) -> base.Terms:
        """The loss by the teacher, what labels rule out being left out of its word."""
        if self.teacher is None:
            return {}
        with torch.no_grad():
            size = logits.shape[2:]
            open_parts = F.interpolate(may_be(batch["parts"], logits.shape[1]).float(), size, mode="nearest")
            wanted = self.teacher(batch["image"]).float().softmax(1) * open_parts + 1e-6 * open_parts
            wanted = wanted / wanted.sum(1, keepdim=True)
        return {"teacher": self.config.teacher_weight * soft_cross_entropy(logits, wanted)}

    def sample(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        images, labels = batch["image"], batch["parts"]
        found = enlarged(self.model(images), labels.shape[1:]).argmax(1)
        wanted = may_be(labels, len(PARTS))
        return {
            "wanted": painted(images, wanted.int().argmax(1), labels != EVERY),
            "found": painted(images, found, torch.ones_like(found, dtype=torch.bool)),
        }


def enlarged(logits: Tensor, size: Sequence[int]) -> Tensor:
    """Logits (B, K, h, w) at the size of the pictures, (B, K, H, W), as the authors' losses and tests do it."""
    return F.interpolate(logits.float(), tuple(size), mode="bilinear")


def painted(images: Tensor, parts: Tensor, shown: Tensor) -> Tensor:
    """Pictures (B, 3, H, W) with parts (B, H, W) over them in their colours, where (B, H, W) is true."""
    colors = images.new_tensor(COLORS)[parts].permute(0, 3, 1, 2) / 255
    return torch.where(shown[:, None], 0.4 * images + 0.6 * colors, images)


def read_teacher(config: Config) -> Model:
    """The model of `config.teacher`, which learns nothing more.

    Raises:
        RecipeError: it is no parser of the same classes.
        WeightsError: it is missing or damaged.
    """
    path = Path(config.teacher)
    card = weights.read_card(path)
    labels = tuple(card.config.get("labels", PARTS))
    if card.method != "segformer" or card.config.get("variant") not in SHAPES or labels != config.labels:
        raise RecipeError(f"method.teacher: {path} is no segformer of the same classes; its method is {card.method}")
    teacher = Taught(replace(config, variant=card.config["variant"], drop_path=0.0, dropout=0.0, teacher=""))
    weights.load_into(teacher, weights.load_tensors(path), str(path))
    return teacher.eval().requires_grad_(False)


class Taught(Model):
    """A model whose training is over: it never leaves evaluation mode."""

    def train(self, _mode: bool = True) -> "Taught":
        """Does nothing."""
        super().train(False)
        return self


def unnamed(count: int) -> tuple[str, ...]:
    """What so many classes are called in a file that does not name them; transformers calls them so, too."""
    return tuple(f"label_{k}" for k in range(count))


OFFICIAL_ROLES = ("model",)
OFFICIAL_EXTRAS = ("config",)
OFFICIAL_JSON = ("config",)
"""Those that are JSON, not tensors."""

CLASSES = "decode_head.classifier."
PROCESSOR = {
    "image_processor_type": "SegformerImageProcessor",
    "do_resize": True,
    "size": {"height": 512, "width": 512},
    "resample": 2,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": list(MEAN),
    "image_std": list(STD),
    "do_reduce_labels": False,
}
"""What transformers is told to do with pictures before: the authors' way, which keeps no aspects."""


def from_official(states: Mapping[str, Mapping[str, Any]], *, labels: str = "") -> Model:
    """The model of a file by Hugging Face's classic names, or by the authors' own.

    A file of ImageNet has no head, one for other classes than `labels` has no fitting last layer: those have their
    first weights, for a training to begin with.

    Args:
        states: the tensors under the role `model`; perhaps under `config` what a config.json says.
        labels: `parts` for the 18 parts of a person, whatever the config says; else the config's names of classes, and
            without one label_0, label_1 ...

    Raises:
        KeyError: the file is no SegFormer.
        ValueError: it is one of another make than the authors', or `labels` is unknown.
        RuntimeError: keys are missing or unexpected, or shapes differ; they are listed.
    """
    state = classic_keys(states["model"])
    variant, config = variant_of(state), states.get("config", {})
    check_make(config, SHAPES[variant])
    names = labels_of(config, state, labels)
    model = Model(Config(variant=variant, labels=names))  # type: ignore[arg-type]
    own = model.state_dict()
    if not any(key.startswith("decode_head.") for key in state):
        log.warning("the file has no head that tells parts: they mean nothing before a training")
        state = {k: t for k, t in state.items() if k.startswith(BODY)}
        state |= {k: t for k, t in own.items() if k.startswith("decode_head.")}
    elif len(state.get(f"{CLASSES}bias", names)) != len(names):
        log.warning("the file tells other classes apart: those of this model mean nothing before a training")
        state |= {k: t for k, t in own.items() if k.startswith(CLASSES)}
    counters = {k: t for k, t in own.items() if k.endswith("num_batches_tracked")}
    model.load_state_dict(counters | state)
    return model


def official(model: Model) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """A model as `from_official` takes it: tensors by the classic names, and what config.json says."""
    shape, names = SHAPES[model.config.variant], model.config.labels
    config = make_of(shape) | {
        "architectures": ["SegformerForSemanticSegmentation"],
        "model_type": "segformer",
        "drop_path_rate": model.config.drop_path,
        "classifier_dropout_prob": model.config.dropout,
        "id2label": {str(k): name for k, name in enumerate(names)},
        "label2id": {name: k for k, name in enumerate(names)},
        "semantic_loss_ignore_index": 255,
    }
    return dict(model.state_dict()), config


def labels_of(config: Mapping[str, Any], state: Mapping[str, Tensor], wanted: str) -> tuple[str, ...]:
    """What the classes are called, in lower case; a file without a head is to learn the parts of a person.

    Raises:
        ValueError: `wanted` is unknown, or the config's names are not one for each number.
    """
    if wanted not in ("", "parts"):
        raise ValueError(f"labels={wanted!r} is unknown; there is labels=parts")
    bias = state.get(f"{CLASSES}bias")
    if wanted or bias is None:
        return PARTS
    named = {int(number): str(name).lower() for number, name in dict(config.get("id2label", {})).items()}
    if not named:
        return unnamed(len(bias))
    if sorted(named) != list(range(len(bias))):
        raise ValueError(f"config: id2label names {len(named)} classes, where the last layer has {len(bias)}")
    return tuple(named[k] for k in range(len(bias)))
