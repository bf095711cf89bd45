"""Every command and every piece of Python in README and docs, run in their order on small pictures.

Commands run as they stand, but for flags at their end that make them quick, and with a local server in place of the
network.
"""

import hashlib
import io
import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from parity.conftest import Golden
from PIL import Image, ImageDraw
from stylizers import made_photo

from sfumato import cli
from sfumato.addresses import ADDRESSES

pytestmark = pytest.mark.timeout(600)

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENTS = ["README.md", *sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / "docs").rglob("*.md"))]
SKETCHES = {"docs/design.md"}
"""Documents whose Python is not meant to run."""
QUICK_DATA = ["--images", "2", "--batch", "2", "--workers", "0", "--data.size", "32", "--data.shorter", "32", "40"]
QUICK_TRAINING = [*QUICK_DATA, "--method.width", "8"]
QUICK_PAINTING = ["--iterations", "1"]


def blocks(document: str, language: str) -> list[str]:
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def commands(document: str) -> list[str]:
    return [line for block in blocks(document, "sh") for line in block.splitlines() if line]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with everything that the documents speak of."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SFUMATO_HOME", str(tmp_path / "cache"))
    names = ["photo.jpg", "wave.jpg", "night.jpg", "gravel.jpg", "wood.jpg"]
    names += [f"{folder}/{i}.jpg" for folder in ("photos", "paintings", "drawings") for i in range(2)]
    for seed, name in enumerate(names):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(made_photo(40, 56, seed=seed)).save(path)
    with Image.open(ROOT / "src" / "sfumato" / "assets" / "examples" / "portrait-1.jpg") as portrait:
        portrait.save("portrait.jpg")
    upper = np.repeat(np.linspace(255, 0, 40).astype(np.uint8)[:, None], 56, 1)
    Image.fromarray(upper).save("sky.png")
    sketch = Image.new("L", (40, 40), 255)
    ImageDraw.Draw(sketch).line([(12, 36), (20, 4), (28, 36)], fill=0, width=2)
    sketch.save("sketch.png")
    Image.fromarray(255 - upper).save("ground.png")
    for role, state in Golden("microast").states.items():
        torch.save(state, f"{role}.pth.tar")
    for role, name in (("vgg", "vgg_normalised.pth"), ("decoder", "decoder.pth")):
        torch.save(Golden("adain").states[role], name)
    return tmp_path


@pytest.fixture
def _server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In place of the network: a small VGG-19 under torchvision's keys at a local address, its digest in its name."""
    content = io.BytesIO()
    torch.save(small_vgg(), content)
    name = f"vgg19-{hashlib.sha256(content.getvalue()).hexdigest()[:8]}.pth"
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / name).write_bytes(content.getvalue())
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=tmp_path / "www")) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}/{name}"
        monkeypatch.setitem(ADDRESSES, "vgg19", replace(ADDRESSES["vgg19"], url=url))
        yield
        server.shutdown()
        thread.join()


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_args: Any) -> None:
        pass


def small_vgg() -> dict[str, torch.Tensor]:
    widths = [3] + [w for w, n in ((4, 2), (6, 2), (8, 4), (8, 4), (8, 4)) for _ in range(n)]
    places = [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34]
    state = {}
    for place, before, after in zip(places, widths, widths[1:]):
        state[f"features.{place}.weight"] = torch.randn(after, before, 3, 3) / (3 * before**0.5)
        state[f"features.{place}.bias"] = torch.zeros(after)
    return state


def quick(words: list[str]) -> list[str]:
    """The words with flags at their end that make the command quick; they override earlier ones."""
    match words[0]:
        case "train":
            if words[1] == "texture_nets.texture":
                return [*words, *QUICK_DATA[:6], "--method.texture-px", "32", "--data.style-px", "32"]
            of_two_kinds = ["--data.hold-out", "0", "--method.blocks", "1"] if "--data.a" in words else []
            of_sketches = ["--method.size", "32"] if "sketchygan.small" in words else []
            of_heads = ["--method.heads", "2"] if words[1].startswith("stytr2.") else []
            return [*words, *QUICK_TRAINING, *of_two_kinds, *of_sketches, *of_heads]
        case "texture":
            if "--model" in words:
                return [*words, "--size", "32x24"]
            way = ["--steps", "2"] if "texture_nets" in words else QUICK_PAINTING
            return [*words, *way, "--size", "32x24", "--swatch-size", "40"]
        case "render":
            return [*words, "--size", "64"]
        case "translate":
            return [*words, "--size", "64"]
        case "stylize":
            painted = QUICK_PAINTING if "gatys" in words else []
            return [*words, *painted, "--size", "64", "--style-size", "64"]
    return words


def run_together(words: list[str]) -> None:
    """A command under torchrun, as several processes of this Python."""
    module = words.index("sfumato") + 1
    flags = [*words[1:module], *quick(words[module:])]
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", *flags],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert list(Path(words[words.index("--run") + 1]).glob("*.safetensors"))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_block_says_what_it_is(document: str) -> None:
    """A block without a language would be run by no test."""
    fences = re.findall(r"^```(.*)$", (ROOT / document).read_text(encoding="utf-8"), re.MULTILINE)
    assert all(fences[::2]), document


@pytest.mark.usefixtures("_server")
@pytest.mark.parametrize("document", [d for d in DOCUMENTS if commands(d)])
def test_commands(document: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in commands(document):
        words = shlex.split(command)
        if words[0] == "make":
            assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE), command
            continue
        if words[0] == "torchrun":
            run_together(words)
            continue
        assert words[0] == "sfumato", command
        before = {path for path in folder.rglob("*") if path.is_file()}
        code = cli.main(quick(words[1:]))
        output = capsys.readouterr()
        assert code == 0, f"{command}: {output.err}"
        assert output.out, command
        if words[1] in ("stylize", "texture", "train", "import", "render", "restyle"):
            made = {path for path in folder.rglob("*") if path.is_file()} - before
            assert made or "--overwrite" in words, command


@pytest.mark.parametrize("document", [d for d in DOCUMENTS if blocks(d, "python") and d not in SKETCHES])
def test_python(document: str, folder: Path) -> None:
    for block in blocks(document, "python"):
        code = block.replace('"--images", "2000"', ", ".join(f'"{word}"' for word in QUICK_TRAINING))
        exec(compile(code.replace("(50, 20)", "(1,)"), document, "exec"), {})


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if not target.startswith("http"):
            assert ((ROOT / document).parent / target).exists(), target


def test_the_examples_of_the_help_texts_parse() -> None:
    from sfumato.cli import collage, faces, folder, importing, models, reproduce, sketch, stylize, texture, train

    assert len(stylize.EXAMPLES) > 3
    for module in (collage, faces, folder, importing, models, reproduce, sketch, stylize, texture, train):
        made = module.parser()
        examples = [line.strip() for line in made.format_help().partition("examples:")[2].splitlines() if line.strip()]
        assert examples
        for example in examples:
            words = shlex.split(example)
            assert words[:2] == ["sfumato", made.prog.split()[1]]
            made.parse_known_args(words[2:])
