"""Sfumato moves pictures between photograph, drawing, painting and anime.

    import sfumato

    sfumato.stylize("photo.jpg", "wave.jpg").save("out.png")

The names below are the public ones. Each is imported when it is first asked for: `import sfumato` alone takes no time
and does not import torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import collage
    from .collage import blend
    from .errors import SfumatoError
    from .evaluate import Distance, distance
    from .export import export_onnx, export_transformers
    from .parsing import PartParser, Parts, evaluate_parts, first_zone
    from .pose import PoseEstimator, evaluate_pose
    from .train import train
    from .translate import Translator, stylize
    from .zoo import available, import_official, load, verify

__version__ = "0.1.0"

__all__ = [
    "Distance",
    "PartParser",
    "Parts",
    "PoseEstimator",
    "SfumatoError",
    "Translator",
    "__version__",
    "available",
    "blend",
    "collage",
    "distance",
    "evaluate_parts",
    "evaluate_pose",
    "export_onnx",
    "export_transformers",
    "first_zone",
    "import_official",
    "load",
    "stylize",
    "train",
    "verify",
]

_HOMES = {
    "Distance": "evaluate",
    "PartParser": "parsing",
    "Parts": "parsing",
    "PoseEstimator": "pose",
    "SfumatoError": "errors",
    "Translator": "translate",
    "available": "zoo",
    "blend": "collage",
    "collage": "collage",  # the package, which can be called
    "distance": "evaluate",
    "evaluate_parts": "parsing",
    "evaluate_pose": "pose",
    "export_onnx": "export",
    "export_transformers": "export",
    "first_zone": "parsing",
    "import_official": "zoo",
    "load": "zoo",
    "stylize": "translate",
    "train": "train",  # the package, which can be called
    "verify": "zoo",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.{_HOMES[name]}")
    return module if name == _HOMES[name] else getattr(module, name)


def __dir__() -> list[str]:
    return sorted(__all__)
