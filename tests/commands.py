"""`sfumato studio` as a process."""

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def command(tmp_path: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """`sfumato studio` as a process, and the lines it prints."""
    code = "import sys; from sfumato.cli import main; sys.exit(main())"
    arguments = [sys.executable, "-c", code, "studio", "--no-browser", "--folder", str(tmp_path / "home"), *words]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def port_of(process: subprocess.Popen[str]) -> int:
    """The port of the address that it prints."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("The studio is at http://127.0.0.1:"), line
    return int(line.rstrip("/\n").rpartition(":")[2])


def free_port() -> int:
    """A port that nobody listens to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
