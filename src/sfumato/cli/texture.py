"""`sfumato texture`: more of a texture, of any size."""

from collections.abc import Sequence

from ..errors import OptionError
from . import files, flags, inputs, source, texture_net
from .console import Console
from .source import Field
from .stylize import OUT_HELP, add_limit, add_precision, gatys_config, gatys_fields

SUMMARY = "make a texture of any size from a swatch"


def fields() -> list[Field]:
    """The options of gatys for textures."""
    foreign = source.constant("methods/gatys.py", "OF_CONTENT")
    return [field for field in gatys_fields() if field.name not in foreign]


def parser() -> flags.Parser:
    """The parser of the command."""
    made = flags.parser(
        "texture",
        "Makes a new texture that looks like a swatch, by the optimisation of Gatys et al. (2015), or by a network\n"
        "that learns the texture once, which takes longer, and then makes any size of it in one pass. Without -o the\n"
        "result is SWATCH-texture.png beside the swatch; nothing that exists is replaced.",
        [
            "texture gravel.jpg",
            "texture gravel.jpg --size 1024x512 --seamless -o floor.png",
            "texture gravel.jpg --method texture_nets --size 2048",
            "texture --model gravel-texture-net.safetensors --seed 7 -o other.png",
            "texture gravel.jpg grass.jpg --weights 1 2 --statistics wasserstein",
        ],
    )
    made.usage = "sfumato texture SWATCH... [--method METHOD] [--size WxH] [--seamless] [-o OUT] [options]"
    text = (
        "gatys optimises each texture; texture_nets learns a network beside the result, SWATCH-texture-net.safetensors"
    )
    made.add_argument("--method", choices=["gatys", texture_net.NAME], help=f"{text} (default: gatys)")
    made.add_argument("swatches", nargs="*", metavar="SWATCH", help="A picture; of several the texture lies in between")
    made.add_argument("-o", "--out", metavar="OUT", help=OUT_HELP)
    made.add_argument("--overwrite", action="store_true", help="Replace the result if it is there")
    add_limit(made)
    text = "Pixels of the texture, one number for a square (default: 512x512)"
    made.add_argument("--size", type=flags.size, default=(512, 512), metavar="WxH", help=text)
    made.add_argument(
        "--seamless", action="store_true", help="Copies side by side show no border; always so with texture_nets"
    )
    flags.add(made, [f for f in source.fields("options.py", "Options") if f.name == "weights"])
    text = "Longest side of the swatch in pixels, larger for larger grains (default: its own, at most 1024 or 256)"
    made.add_argument("--swatch-size", type=_side, metavar="N", help=text)
    add_precision(made)
    texture_net.add(made.add_argument_group("only with --method texture_nets"))
    flags.add(made.add_argument_group("only with --method gatys"), fields())
    return flags.finish(made)


def run(words: Sequence[str], console: Console) -> int:
    """Makes the texture."""
    given = parser().parse_intermixed_args(words)
    if given.method == texture_net.NAME or (given.method is None and given.model):
        return texture_net.run(given, console, fields())
    if given.model or given.steps:
        raise OptionError(f"--{'model' if given.model else 'steps'} is for --method {texture_net.NAME}")
    if not given.swatches:
        raise OptionError("which swatch? sfumato texture SWATCH")
    swatches = inputs.find_files(given.swatches)
    photo = inputs.Photo(path=swatches[0])
    (job,) = inputs.plan([photo], "texture", given.out, keep=swatches)
    from .. import device, image
    from ..options import Options
    from ..progress import Progress

    image.check_output(job.output, size=given.size[::-1], overwrite=given.overwrite, makes_folder=True)
    files.check_wanted(given.size[::-1], given.limit_mp)
    options = flags.build(Options, {"weights": given.weights} if hasattr(given, "weights") else {})
    options.shares(len(swatches))
    pictures = [files.read(path, console, limit_mp=given.limit_mp) for path in swatches]
    from ..methods import gatys
    from ..translate.painter import Painter

    device.keep_memory()
    painter = Painter(gatys_config(given, fields(), gatys.Config), device=given.device, precision=given.precision)
    with Progress("iterations", label=job.output.name, quiet=console.quiet) as progress:
        result = painter.texture(
            pictures,
            given.size,
            seamless=given.seamless,
            swatch_size=given.swatch_size,
            weights=options.weights,
            progress=progress,
        )
    files.write(job.output, result, console, overwrite=given.overwrite)
    return 0


def _side(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 16:
        raise OptionError(f"--swatch-size {text}: wants 16 pixels or more")
    return int(text)
