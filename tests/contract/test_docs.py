"""Pages that are made from the source are up to date, and the pictures that ship say where they are from."""

import subprocess
import sys


def test_pages_of_the_methods(repository):
    command = [sys.executable, "-W", "error", str(repository / "tools" / "docs.py"), "--check"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_every_example_picture_has_its_source(repository):
    folder = repository / "src" / "sfumato" / "assets" / "examples"
    sources = (folder / "SOURCES.md").read_text(encoding="utf-8")
    pictures = [path for path in folder.iterdir() if path.suffix != ".md"]
    assert pictures
    for path in pictures:
        row = next((line for line in sources.splitlines() if line.startswith(f"| {path.name} |")), "")
        assert "CC0 1.0" in row, path.name
        assert path.stat().st_size < 150_000
