"""Batch normalisations that only repeat what training found out, folded into the convolutions before them."""

import copy
from typing import TypeVar

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

ModuleT = TypeVar("ModuleT", bound=nn.Module)


def folded(network: ModuleT) -> ModuleT:
    """A copy in evaluation mode that gives the same with fewer layers: y = (W x) s + t is (s W) x + t.

    Folded is each normalisation that a module names right after a convolution: those two must follow each other when
    it is called, too, as in a Sequential.
    """
    result = copy.deepcopy(network).eval()
    for module in list(result.modules()):
        children = list(module.named_children())
        for (name, layer), (after, norm) in zip(children, children[1:], strict=False):
            if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(module, name, fuse_conv_bn_eval(layer, norm))
                setattr(module, after, nn.Identity())
    return result
