"""The motions that a user names: a file, a folder, those that are built in, random poses."""

from pathlib import Path

from ..errors import DataError, OptionError
from . import builtin, bvh, random_poses, retarget
from .motion import Motion

FORMS = "a .bvh file, a folder of them, builtin, builtin:NAME,NAME or random:COUNT"


def load(spec: str, *, seed: int = 0, in_place: bool = False, every: int = 1) -> list[Motion]:
    """The motions, in an order that is always the same.

    Args:
        spec: FORMS says what it may be.
        seed: of variations of the built-in ones, and of random poses.
        in_place: those from files lead nowhere.
        every: of those from files only every so many frames are kept.

    Raises:
        DataError: a file is missing or broken, or a folder has none.
        OptionError: a built-in motion of that name does not exist, or a number is none.
    """
    kind, _, rest = spec.partition(":")
    if kind == "builtin":
        names = [name.strip() for name in rest.split(",")] if rest else list(builtin.NAMES)
        return [builtin.motion(name, seed=seed) for name in names]
    if kind == "random":
        if rest and not (rest.isdigit() and int(rest)):
            raise OptionError(f"random:{rest}: the number of poses must be a whole number above 0")
        return [random_poses.RandomPoses(frames=int(rest or random_poses.ENDLESS), seed=seed)]
    return [retarget.recorded(bvh.read(path), in_place=in_place, every=every) for path in _files(Path(spec))]


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        if not (found := sorted(p for p in path.rglob("*") if p.suffix.lower() == ".bvh" and p.is_file())):
            raise DataError(f"{path}: the folder has no .bvh files")
        return found
    if not path.exists():
        raise DataError(f"{path}: there is no such motion; name {FORMS}")
    if path.suffix.lower() != ".bvh":
        raise DataError(f"{path}: motions are read from .bvh files; those inside a character's file come with it")
    return [path]
