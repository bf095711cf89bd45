"""`sfumato export`: a model as ONNX, for other programs."""

from collections.abc import Sequence
from pathlib import Path

from ..errors import OptionError
from . import flags
from .console import Console
from .files import path_of

SUMMARY = "write a model as ONNX, checked, for other programs"


def parser() -> flags.Parser:
    """The parser of the command."""
    made = flags.parser(
        "export",
        "Writes a generator or a stylizer as one ONNX file that takes pictures of any size, RGB from 0 to 1, and\n"
        "keeps its card. ONNX Runtime must give the same pictures as torch, else there is no file.",
        ["export faces2kaokore --onnx", "export run/mine/a2b.safetensors --onnx -o mine.onnx"],
    )
    made.usage = "sfumato export MODEL --onnx [-o FILE]"
    made.add_argument("model", metavar="MODEL", help="A name of `sfumato models list`, or a .safetensors file")
    made.add_argument("--onnx", action="store_true", required=True, help="The format; there is no other so far")
    made.add_argument("-o", "--out", metavar="FILE", help="The new file (default: MODEL.onnx here)")
    made.add_argument("--overwrite", action="store_true", help="Replace FILE if it is there")
    return flags.finish(made)


def run(words: Sequence[str], console: Console) -> int:
    """Exports, and says how near the results are."""
    given = parser().parse_intermixed_args(words)
    name = Path(given.model).name.removesuffix(".safetensors")
    out = path_of(given.out or f"{name}.onnx")
    if out.suffix != ".onnx":
        raise OptionError(f"-o {given.out}: an ONNX file ends in .onnx")
    from .. import export, image
    from ..progress import during

    image.check_place(out, overwrite=given.overwrite, makes_folder=True)
    export.check_packages()
    with during(f"exporting {given.model}", quiet=console.quiet):
        made = export.export_onnx(given.model, out)
    console.say(
        f"{out}: {made.bytes / 1e6:.1f} MB; ONNX Runtime is {255 * made.largest:.2g} of 255 from torch at the most,"
        f" {255 * made.mean:.1g} on average"
    )
    return 0
