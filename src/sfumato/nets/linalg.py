"""Linear algebra that works on every device."""

import torch
from torch import Tensor


def eigh(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues (..., C), rising, and vectors (..., C, C) of symmetric matrices; by the CPU where a device cannot."""
    place = "cpu" if matrix.device.type == "mps" else matrix.device
    values, vectors = torch.linalg.eigh(matrix.to(place))
    return values.to(matrix.device), vectors.to(matrix.device)
