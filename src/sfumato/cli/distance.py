"""`sfumato distance`: FID and KID between two folders."""

from collections.abc import Sequence

from ..errors import OptionError
from . import flags
from .console import Console
from .files import path_of

SUMMARY = "measure how far the pictures of two folders are from each other"


def parser() -> flags.Parser:
    """The parser of the command."""
    made = flags.parser(
        "distance",
        "Measures how far two sets of pictures are from each other: FID and KID by the standard Inception network,\n"
        "once `sfumato models get inception-fid` has brought it; else fd-compact and kd-compact by the bundled\n"
        "network, whose values compare only with each other. The FID of few pictures is too large: below 2,000 trust\n"
        "the KID.",
        ["distance translated/ drawings/", "distance translated/ drawings/ --network compact"],
    )
    made.usage = "sfumato distance FOLDER FOLDER [options]"
    made.add_argument("folders", nargs="*", metavar="FOLDER", help="Two folders; what lies below them counts, too")
    text = "`inception`, `compact`, or a file of Inception's weights (default: Inception if it is here)"
    made.add_argument("--network", default="auto", metavar="NAME|FILE", help=text)
    return flags.finish(made)


def run(words: Sequence[str], console: Console) -> int:
    """Measures, and names what could not be read."""
    given = parser().parse_intermixed_args(words)
    if len(given.folders) != 2:
        raise OptionError(f"between which two folders? {len(given.folders)} given: sfumato distance FOLDER FOLDER")
    from .. import device, evaluate
    from ..progress import Progress

    device.keep_memory()
    a, b = map(path_of, given.folders)
    with Progress("pictures", label="distance", quiet=console.quiet) as progress:
        found = evaluate.distance(a, b, network=given.network, device=given.device, progress=progress)
    for fault in found.left_out:
        console.warn(f"left out: {fault}")
    console.say(f"{found.frechet_name:11} {found.frechet:.4g}")
    console.say(f"{found.kernel_name:11} {found.kernel:.4g} +- {found.kernel_std:.2g}")
    console.say(f"{'pictures':11} {found.counts[0]:,} and {found.counts[1]:,}")
    if min(found.counts) < evaluate.FEW:
        console.say(
            f"Fewer than {evaluate.FEW:,} pictures: {found.frechet_name} is too large, {found.kernel_name} is not."
        )
    return 0
