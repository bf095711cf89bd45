"""`sfumato import`: a model file from the files that the authors of a paper published."""

from collections.abc import Sequence

from ..errors import OptionError
from . import flags, source
from .console import Console
from .files import identity, path_of

SUMMARY = "make a model file from the files of a paper's authors"


def parser() -> flags.Parser:
    """The parser of the command."""
    found = {name: source.constant(f"methods/{name}.py", "OFFICIAL_ROLES") for name in source.names("methods")}
    roles = {name: of for name, of in found.items() if of}
    extras = {name: source.constant(f"methods/{name}.py", "OFFICIAL_EXTRAS") or () for name in roles}
    listing = "\n".join(
        f"  {name:12} {', '.join([*of, *(f'({extra})' for extra in extras[name])])}" for name, of in roles.items()
    )
    made = flags.parser(
        "import",
        "Reads the files that the authors of a paper published (PyTorch, safetensors or NumPy; no code in them is\n"
        "run) and writes one model file that every other command takes. The roles of each method's files,\n"
        "in parentheses those that need not be there:\n\n" + listing,
        [
            "import adain --file vgg=vgg_normalised.pth decoder=decoder.pth -o adain.safetensors",
            "import vgg --file vgg=vgg19-dcbb9e9d.pth -o vgg19.safetensors",
        ],
    )
    made.add_argument("method", metavar="METHOD", help=f"{', '.join(roles)}; also vgg16 and vgg19")
    made.add_argument(
        "--file", nargs="+", action="extend", required=True, metavar="ROLE=PATH", help="The authors' files, by role"
    )
    made.add_argument(
        "--hint",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME=VALUE",
        help="What the files do not tell: flavour=caffe for a VGG that wants pixels of Caffe's scale",
    )
    made.add_argument("-o", "--out", required=True, metavar="FILE", help="The new model file, NAME.safetensors")
    made.add_argument("--overwrite", action="store_true", help="Replace FILE if it is there")
    return flags.finish(made)


def run(words: Sequence[str], console: Console) -> int:
    """Converts, and says what the model is."""
    given = parser().parse_intermixed_args(words)
    out = path_of(given.out)
    if out.suffix != ".safetensors":
        raise OptionError(f"-o {given.out}: a model file ends in .safetensors")
    files = {role: path_of(text) for role, text in flags.pairs("--file", "ROLE=PATH", given.file).items()}
    hints = flags.pairs("--hint", "NAME=VALUE", given.hint)
    if identity(out) in [identity(path) for path in files.values()]:
        raise OptionError(f"-o {given.out}: the model file would replace a file that it is made from")
    from .. import image, zoo

    image.check_place(out, overwrite=given.overwrite, makes_folder=True)
    card = zoo.convert(given.method, files, out, **hints)
    console.say(f"{out}: {card.title}")
    return 0
