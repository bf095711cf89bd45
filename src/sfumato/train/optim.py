"""Adam, and Muon for those of the weights that are matrices (Jordan et al. 2024).

Muon (https://kellerjordan.github.io/posts/muon) takes the running mean of a matrix's gradients and makes its singular
values about one, so that directions which the gradient shows faintly are learned about as fast as the others. With
MicroAST from random weights the style loss after 500 steps is 5.5 where Adam has 7.7 (benchmarks/optimizers.py).

Shapes: N matrices of one shape, of R rows and L columns.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from .recipe import Optimizer

QUINTIC = (3.4445, -4.7750, 2.0315)
"""Coefficients of the iteration, Jordan's: steep at zero, so that five rounds bring a value from 0.003 up to 0.7."""
ROUNDS = 5
SMALLEST = 16
"""Rows and columns from which a weight counts as a matrix: first, last and depthwise filters stay with Adam."""


def optimizer(settings: Optimizer, parameters: Iterable[nn.Parameter]) -> torch.optim.Adam:
    """The optimiser of these settings; Adam in its fused form, one pass over all parameters."""
    adam = {"lr": settings.lr, "betas": settings.betas, "weight_decay": settings.weight_decay, "fused": True}
    return Muon(parameters, settings.muon, **adam) if settings.muon else torch.optim.Adam(parameters, **adam)  # type: ignore[arg-type]


class Muon(torch.optim.Adam):
    """Muon with Nesterov's momentum for weights that are matrices, filters flattened to (R, L); Adam for all others.

    # Differs from Jordan's: updates have the size of Adam's, 0.2 sqrt(max(R, L)) of his, so that one learning rate
    # serves both (Liu et al. 2025, arXiv:2502.16982, eq. 4).

    Args:
        parameters: all of a group.
        momentum: of the running mean of a matrix's gradients.
        adam: arguments of torch.optim.Adam.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], momentum: float, **adam: Any) -> None:
        everything = list(parameters)
        matrices = [p for p in everything if is_matrix(p)]
        groups: list[dict[str, Any]] = [
            {"params": [p for p in everything if not is_matrix(p)]},
            {"params": matrices, "momentum": momentum},
        ]
        super().__init__([group for group in groups if group["params"]], **adam)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One update of all weights that have a gradient."""
        everything = self.param_groups
        try:
            self.param_groups = [group for group in everything if "momentum" not in group]
            super().step(closure)
        finally:
            self.param_groups = everything
        for group in everything:
            if "momentum" in group:
                self._step(group)

    def _step(self, group: dict[str, Any]) -> None:
        by_shape: dict[torch.Size, list[nn.Parameter]] = {}
        for p in group["params"]:
            if p.grad is not None:
                by_shape.setdefault(p.flatten(1).shape, []).append(p)
        for same in by_shape.values():
            directions = [self._direction(p, group) for p in same]
            updates = orthogonal(torch.stack(directions)) * (0.2 * max(directions[0].shape) ** 0.5)
            for p, update in zip(same, updates, strict=True):
                p.add_(update.view(p.shape), alpha=-group["lr"])

    def _direction(self, p: nn.Parameter, group: dict[str, Any]) -> Tensor:
        assert p.grad is not None
        grad = p.grad.add(p, alpha=group["weight_decay"]) if group["weight_decay"] else p.grad
        if not (state := self.state[p]):
            state |= {"step": torch.zeros(()), "mean": torch.zeros_like(p)}  # Adam looks for a step in every state
        state["step"] += 1
        mean = state["mean"].lerp_(grad, 1 - group["momentum"])
        return torch.lerp(grad, mean, group["momentum"]).flatten(1)


def is_matrix(p: Tensor) -> bool:
    """Whether Muon takes a weight (R, ...)."""
    return p.dim() > 1 and min(p.flatten(1).shape) >= SMALLEST and p.shape[1] >= SMALLEST


def orthogonal(matrices: Tensor) -> Tensor:
    """The matrices (N, R, L) with singular values about one, by Newton and Schulz' iteration.

    Those above 0.003 of a matrix's norm end between 0.68 and 1.2; much smaller ones, which a gradient of low rank has,
    are raised some 480 times and stay small.
    """
    a, b, c = QUINTIC
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(ROUNDS):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x.mT if tall else x
