"""Characters and motions in files that Blender reads, as glTF: written by it into the cache, once for each content.

So bones, weights, actions and colours of all kinds of files come through one reader, that of glTF, and both engines
draw the same figure.
"""

import hashlib
import tempfile
from pathlib import Path

from ...download import cache_dir
from ...errors import DataError
from ...weights import replacing
from . import found
from .inside import messages
from .process import Died, Process

KINDS = (".fbx", ".blend", ".usd", ".usda", ".usdc", ".usdz", ".dae")
"""Endings of files that go through Blender. COLLADA is read by Blender 4 alone, which then says so itself."""
READING_S = 900.0


def as_gltf(path: Path) -> Path:
    """The GLB file that Blender makes of a file; from the cache if it is there.

    Textures beside the file do not count: whoever changes them alone finds the old ones.

    Raises:
        DataError: there is no Blender, or it cannot read the file, which then is named.
        FailedError: Blender does not start.
        DiskError: the cache cannot be written.
    """
    try:
        blender = found.blender()
    except DataError as error:
        raise DataError(f"{path}: is read through Blender, and {error}") from None
    target = cache_dir() / "blender" / f"{_digest(path)}-{blender.version}.glb"
    if not target.is_file():
        content = _converted(path, blender)
        with replacing(target) as file:
            file.write(content)
    return target


def _digest(path: Path) -> str:
    """Of the file, and of what converts it."""
    digest = hashlib.sha256((Path(messages.__file__).parent / "convert.py").read_bytes())
    try:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    return digest.hexdigest()[:32]


def _converted(path: Path, blender: found.Blender) -> bytes:
    with tempfile.TemporaryDirectory(prefix="sfumato") as folder:
        made = Path(folder) / "made.glb"
        process = Process(blender)  # one of its own: reading a file leaves things behind
        try:
            words = {"do": "convert", "source": str(path.resolve()), "target": str(made)}
            answer, _ = process.ask(words, seconds=READING_S)
        except Died as error:
            raise DataError(f"{path}: Blender {blender.version} cannot read it: {error}") from error
        process.close()
        if problem := answer.get("error"):
            raise DataError(f"{path}: {problem}")
        return made.read_bytes()
