"""`sfumato export`: a model for other programs."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from ..errors import OptionError
from . import flags
from .console import Console
from .files import path_of

SUMMARY = "write a model for other programs: ONNX, checked, or as transformers has it"


def parser() -> flags.Parser:
    """The parser of the command."""
    made = flags.parser(
        "export",
        "Writes a generator or a stylizer as one ONNX file that takes pictures of any size, RGB from 0 to 1, and\n"
        "keeps its card. ONNX Runtime must give the same pictures as torch, else there is no file. A parser becomes\n"
        "a folder of files that Hugging Face's transformers reads.",
        [
            "export faces2kaokore --onnx",
            "export run/mine/a2b.safetensors --onnx -o mine.onnx",
            "export run/parser.safetensors --transformers -o parser",
        ],
    )
    made.usage = "sfumato export MODEL --onnx|--transformers [-o OUT]"
    made.add_argument("model", metavar="MODEL", help="A name of `sfumato models list`, or a .safetensors file")
    kinds = made.add_mutually_exclusive_group(required=True)
    kinds.add_argument("--onnx", action="store_true", help="One ONNX file, of a generator or a stylizer")
    kinds.add_argument("--transformers", action="store_true", help="The files of Hugging Face, of a parser")
    made.add_argument("-o", "--out", metavar="OUT", help="The new file or folder (default: MODEL.onnx or MODEL here)")
    made.add_argument("--overwrite", action="store_true", help="Replace files that are there")
    return flags.finish(made)


def run(words: Sequence[str], console: Console) -> int:
    """Exports, and says what was written."""
    given = parser().parse_intermixed_args(words)
    name = Path(given.model).name.removesuffix(".safetensors")
    return (_transformers if given.transformers else _onnx)(given, name, console)


def _transformers(given: argparse.Namespace, name: str, console: Console) -> int:
    out = path_of(given.out or name)
    from .. import export, image

    for file in export.TRANSFORMERS:
        image.check_place(out / file, overwrite=given.overwrite, makes_folder=True)
    for path in export.export_transformers(given.model, out):
        console.say(str(path))
    return 0


def _onnx(given: argparse.Namespace, name: str, console: Console) -> int:
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
