"""Reading files whose keys are numbers: layer by layer, in their order."""

import re
from collections.abc import Mapping

from torch import Tensor, nn

BUFFERS = re.compile(r"\.(filt|num_batches_tracked)$")
"""Constants of the authors' layers, which are no weights."""


def cleaned(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors without what old files carry: `module.` before each key, and running means of normalisations that
    keep none.
    """
    tensors = {re.sub(r"^(module\.)+", "", key): tensor for key, tensor in state.items()}
    unlearned = {k.rpartition(".")[0] for k in tensors if k.endswith(".running_mean")}
    unlearned = {layer for layer in unlearned if f"{layer}.weight" not in tensors}
    return {k: t for k, t in tensors.items() if not BUFFERS.search(k) and k.rpartition(".")[0] not in unlearned}


def load_in_order(network: nn.Module, state: Mapping[str, Tensor], where: str) -> None:
    """Gives the network the weights of a cleaned file whose layers stand in the same order.

    Raises:
        KeyError: the numbers of tensors or their shapes differ; `where` says of what.
    """
    own = [(k, t) for k, t in network.state_dict().items() if not BUFFERS.search(k)]
    theirs = sorted_pairs(state)
    if [t.shape for _, t in own] != [t.shape for _, t in theirs]:
        pairs = zip(own, theirs, strict=False)
        odd = next(
            (f"{b} {tuple(t.shape)}" for (_, s), (b, t) in pairs if s.shape != t.shape), f"{len(theirs)} tensors"
        )
        raise KeyError(f"not {where}: unexpected {odd}; {len(own)} tensors are wanted")
    network.load_state_dict({a: t for (a, _), (_, t) in zip(own, theirs, strict=True)}, strict=False)


def sorted_pairs(state: Mapping[str, Tensor]) -> list[tuple[str, Tensor]]:
    """Keys and tensors, layer by layer; in a layer weight, bias, running mean, running variance."""
    names = {"weight": 0, "bias": 1, "running_mean": 2, "running_var": 3}

    def place(key: str) -> list[tuple[int, str]]:
        *path, last = key.split(".")
        return [(int(part), "") if part.isdigit() else (0, part) for part in path] + [(names.get(last, 4), "")]

    return sorted(state.items(), key=lambda pair: place(pair[0]))
