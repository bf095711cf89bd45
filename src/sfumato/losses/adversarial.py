"""What generators and discriminators want of each other.

Goodfellow et al. 2014, arXiv:1406.2661 (vanilla, the form that does not saturate); Mao et al., ICCV 2017,
arXiv:1611.04076 (least squares); Arjovsky et al. 2017, arXiv:1701.07875 (Wasserstein); Gulrajani et al. 2017,
arXiv:1704.00028 (gradient penalty).

Shapes: B batch, C channels, H W pixels; logits have any shape.
"""

from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from ..nets.parallel import rand

Adversarial = Literal["least_squares", "vanilla", "wasserstein"]


def adversarial_loss(logits: Tensor, real: bool, kind: Adversarial, *, noise: float = 0.0) -> Tensor:
    """How far the logits are from calling their pictures real, or made: a scalar.

    Args:
        noise: labels are off by up to this, drawn for each picture: 1 - u and u, u uniform in [0, noise).
    """
    if kind == "wasserstein":
        return -logits.mean() if real else logits.mean()
    labels = torch.full_like(logits, float(real))
    if noise:
        shape = (len(logits), *(1 for _ in logits.shape[1:]))
        off = noise * rand(*shape, device=logits.device)
        labels = labels - off if real else labels + off
    return F.mse_loss(logits, labels) if kind == "least_squares" else F.binary_cross_entropy_with_logits(logits, labels)


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """(|gradient| - 1)^2 of the critic at random places between real and made pictures (B, C, H, W): a scalar."""
    share = rand(len(real), 1, 1, 1, device=real.device)
    between = real.lerp(fake, share).detach().requires_grad_()
    with torch.enable_grad():
        (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - 1).square().mean()
