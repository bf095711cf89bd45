"""Pages that are made from the source are up to date, and the pictures that ship say where they are from."""

import subprocess
import sys


def test_pages_of_the_methods(repository):
    command = [sys.executable, "-W", "error", str(repository / "tools" / "docs.py"), "--check"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_notes_of_what_differs_are_one_row_each(repository):
    pages = {path.stem: path.read_text(encoding="utf-8") for path in (repository / "docs" / "methods").glob("*.md")}
    for name, text in pages.items():
        assert not [
            line for line in text.splitlines() if line.startswith("# Differs") or line.count("Differs from") > 1
        ]
        files = [repository / "src" / "sfumato" / folder / f"{name}.py" for folder in ("methods", "recipes", "nets")]
        notes = sum(f.read_text(encoding="utf-8").count("# Differs from") for f in files if f.is_file())
        rows = text.partition("## What differs")[2].partition("\n## ")[0].count("\n- ")
        assert rows >= notes, name
    for name, note in (
        ("style2paints", "global normalization"),
        ("sketchygan", "running means"),
        ("sketchygan", "1e-6"),
    ):
        assert note in pages[name].partition("## What differs")[2].partition("## Options")[0]


def test_every_example_picture_has_its_source(repository):
    folder = repository / "src" / "sfumato" / "assets" / "examples"
    sources = (folder / "SOURCES.md").read_text(encoding="utf-8")
    pictures = [path for path in folder.iterdir() if path.suffix != ".md"]
    assert pictures
    for path in pictures:
        row = next((line for line in sources.splitlines() if line.startswith(f"| {path.name} |")), "")
        assert row.endswith(("| CC0 1.0 |", "| MIT |")), path.name
        assert path.stat().st_size < 150_000
