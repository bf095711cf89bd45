"""Locks on open files, which keep processes apart; they end with the process, however it ends.

Where there are none, on Windows and on file systems such as Lustre mounted without `flock`, nobody is kept out.
"""

import errno
import sys

NONE = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK}
"""What file systems without locks say."""


def locked(file: int, *, wait: bool = False, shared: bool = False) -> bool:
    """Locks a file until it is closed; False: another has it.

    Args:
        file: descriptor, open for writing, or for reading if `shared`.
        wait: until the others have ended.
        shared: keeps out only those who do not share.

    Raises:
        OSError: the file cannot be locked for another reason.
    """
    return _tried(file, wait=wait, shared=shared) is not False


def lockable(file: int) -> bool:
    """Whether locks on a file, open for reading, keep anybody out; who asks shares it.

    Raises:
        OSError: as `locked`.
    """
    return _tried(file, wait=False, shared=True) is not None


def _tried(file: int, *, wait: bool, shared: bool) -> bool | None:
    """Whether the file is locked now; None where there are no locks."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in NONE:
            raise
        return None
    return True
