"""The tables of the thesis at the scale that only shows that all works, by the command."""

import json

import pytest

from sfumato import cli
from sfumato.reproduce.rows import TABLES

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]


def test_tiny_tables(tmp_path, capsys):
    out = tmp_path / "tables"
    words = ["reproduce", "sketch-pose", "--scale", "tiny", "-o", str(out), "--device", "cpu"]
    assert cli.main(words) == 0
    assert capsys.readouterr().out.splitlines() == [str(out / "tables.md")]
    made = json.loads((out / "tables.json").read_text())
    assert {title: [row["row"] for row in rows] for title, rows in made["tables"].items()} == {
        title: [row.name for row in rows] for title, rows in TABLES.items()
    }
    scratch = [row for rows in made["tables"].values() for row in rows if row["start"] == "scratch"]
    assert len(scratch) == 6
    assert all(row["rendered"]["figures"] == 40 and row["seconds"] > 0 for row in scratch)
    assert sum(row["rendered"]["PCK@0.1"] for row in scratch) > 0
    assert all("left_out" in row for rows in made["tables"].values() for row in rows if row["start"] != "scratch")
    page = (out / "tables.md").read_text()
    assert page.count("left out: no COCO's weights") == 8
    assert cli.main(words) == 0
    assert json.loads((out / "tables.json").read_text()) == made
