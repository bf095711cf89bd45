"""What a set's characters and motions are read from, so that a set does not go on with files that have changed."""

import hashlib
from pathlib import Path

from ..download import file_sha256
from . import characters, motions
from .gltf_file import GltfFile
from .job import Config


def digests(config: Config) -> dict[str, str]:
    """By character and motion that is read from files a digest of their names and contents, 16 digits.

    A file that is added to a folder, as one that is changed or renamed, makes another digest.

    Raises:
        DataError: there are no such files, or they cannot be read.
    """
    found = {}
    for spec in config.character:
        if (path := characters.path_of(spec)) is not None:
            found[spec] = _digest(path, _parts(path))
    for spec in config.motion:
        if spec != "own" and (paths := motions.paths_of(spec)):
            found[spec] = _digest(Path(spec), paths)
    return found


def _parts(character: Path) -> list[Path]:
    if character.is_dir():
        return sorted(p for p in character.rglob("*") if p.is_file() and not p.name.startswith("."))
    return [character, *GltfFile(character).beside()]


def _digest(root: Path, paths: list[Path]) -> str:
    whole = hashlib.sha256()
    for path in paths:
        name = path.relative_to(root).as_posix() if root.is_dir() else path.name
        whole.update(f"{name}\n{file_sha256(path)}\n".encode())
    return whole.hexdigest()[:16]
