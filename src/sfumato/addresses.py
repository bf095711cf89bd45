"""Public files that `sfumato models get` brings, by the names of their models."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Address:
    """A public file that `sfumato models get` can bring."""

    what: str
    """One line for the list of models."""
    licence: str
    """As its publisher states it."""
    size: int
    """Bytes, about; the address says it exactly."""
    url: str
    source: str
    """The page that publishes the address."""
    method: str = "vgg"
    """The method whose model it is; empty for a network that only judges pictures."""

    @property
    def file(self) -> str:
        """The file's name in the cache."""
        return self.url.rsplit("/", 1)[1]


_TORCHVISION = "BSD-3-Clause (torchvision's; it warns that terms of the training data, ImageNet, may apply)"

ADDRESSES = {
    "vgg19": Address(
        what="VGG-19 trained by torchvision on ImageNet",
        licence=_TORCHVISION,
        size=574_700_000,
        url="https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
        source="https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.vgg19.html",
    ),
    "vgg16": Address(
        what="VGG-16 trained by torchvision on ImageNet",
        licence=_TORCHVISION,
        size=553_400_000,
        url="https://download.pytorch.org/models/vgg16-397923af.pth",
        source="https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.vgg16.html",
    ),
    "vgg19-caffe": Address(
        what="VGG-19 of Simonyan and Zisserman, converted from Caffe: the network of Gatys et al.",
        licence="CC BY (the authors' models; the conversion MIT)",
        size=574_700_000,
        url="https://web.eecs.umich.edu/~justincj/models/vgg19-d01eb7cb.pth",
        source="https://github.com/jcjohnson/pytorch-vgg",
    ),
    "vgg19-normalised": Address(
        what="VGG-19 with filters scaled to mean activation 1, to relu5_4: the encoder of AdaIN",
        licence="MIT (the repository's; the authors' models CC BY)",
        size=80_100_000,
        url="https://github.com/naoto0804/pytorch-AdaIN/releases/download/v0.0.0/vgg_normalised.pth",
        source="https://github.com/naoto0804/pytorch-AdaIN",
    ),
    "inception-fid": Address(
        what="Inception of 2015-12-05, by which FID and KID are defined, converted from TensorFlow",
        licence="Apache-2.0",
        size=95_600_000,
        url="https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
        source="https://github.com/mseitzer/pytorch-fid",
        method="",
    ),
}
