"""The page of measured results says what the result files say, and those not where things were on some machine."""

import importlib.util
import json
import re

import pytest


@pytest.fixture
def report(repository):
    """What the benchmarks share."""
    spec = importlib.util.spec_from_file_location("report", repository / "benchmarks" / "report.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_the_page_is_that_of_the_result_files(report):
    assert report.PAGE.read_text(encoding="utf-8") == report.page(), "run: python benchmarks/report.py"


def test_no_command_names_a_place_of_one_machine(repository):
    records = sorted((repository / "benchmarks" / "results").glob("*.json"))
    assert records
    for path in records:
        command = json.loads(path.read_text(encoding="utf-8"))["command"]
        assert not re.search(r"(?:^|[\s=:])(?:/|~|[A-Z]:\\)", command), f"{path.name}: {command}"


def test_a_command_is_recorded_without_its_places(report, monkeypatch, tmp_path):
    monkeypatch.setenv("SFUMATO_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(report, "HERE", tmp_path)
    words = [
        "--sets",
        f"{tmp_path}/sets",
        f"toon:a label={tmp_path}/runs/p2/a2b.safetensors",
        f"{tmp_path}/data/photos/1.jpg",
        "run/cut.safetensors",
        "--repeats",
        "2",
    ]
    monkeypatch.setattr(report.sys, "argv", ["/somewhere/benchmarks/speed.py", *words])
    report.show("speed", {"a table": [{"seconds": 1.5}]})
    assert json.loads((tmp_path / "results" / "speed.json").read_text(encoding="utf-8"))["command"] == (
        "python benchmarks/speed.py --sets sets toon:a label=p2/a2b.safetensors DATA/photos/1.jpg"
        " run/cut.safetensors --repeats 2"
    )
