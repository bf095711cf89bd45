"""`sfumato evaluate` of a parser, and its files in and out."""

import dataclasses
import json

import pytest
import torch
from people import write_people
from safetensors.torch import save_file

from sfumato import weights, zoo
from sfumato.card import Card
from sfumato.methods import segformer
from sfumato.parts import PARTS
from sfumato.recipes.segformer import tiny


@pytest.fixture(scope="module")
def parser_file(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("model") / "parser.safetensors"
    card = Card(name="parser", method="segformer", config=dataclasses.asdict(tiny().method))
    weights.save(path, segformer.Model(tiny().method), card)
    return path


@pytest.fixture
def people(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_people(tmp_path / "people", 3)


def test_a_report_by_both_protocols_and_a_sheet(sfumato, people, parser_file, tmp_path):
    result = sfumato("evaluate", parser_file, people, "-o", "results", "--side", "64", "--precision", "fp32")
    assert (result.code, result.err) == (0, [])
    assert result.out[0].split() == ["standard", "background", "ignored"]
    assert result.out[1].startswith("mean IoU")
    rows = {line[:26].strip(): line[26:].split() for line in result.out}
    assert len(rows["IoU hair"]) == len(rows["mean accuracy"]) == 2
    assert {name[4:] for name in rows if name[:4] == "IoU "} == {name[9:] for name in rows if name[:9] == "accuracy "}
    assert "IoU scarf" not in rows or rows["IoU scarf"][0] == "0.000"
    assert any(line.startswith("border of hair: F ") for line in result.out)
    assert any(
        "3 pictures" in line and "longest side 64, with the mirrored picture, fp32" in line for line in result.out
    )
    report = json.loads((tmp_path / "results" / "report.json").read_text())
    assert report["pictures"] == 3
    assert set(report["standard"]["iou"]) == set(PARTS)
    assert f"{report['standard']['mean_iou']:.3f}" == rows["mean IoU"][0]
    for column, protocol in enumerate(("standard", "ignoring_background")):
        told = report[protocol]["accuracy"]["hair"]
        assert rows["accuracy hair"][column] == f"{told:.3f}"
    assert (tmp_path / "results" / "sheet.jpg").is_file()
    zoomed = sfumato("evaluate", parser_file, people, "-o", "results", "--side", "64", "--zoom", "--no-flip")
    assert zoomed.code == 0
    assert any("without the mirrored picture, heads from near" in line for line in zoomed.out)


def test_faults_of_a_set_are_told(sfumato, people, parser_file, tmp_path):
    (people / "masks" / "000.png").unlink()
    result = sfumato("evaluate", parser_file, people, "-o", "results", "--side", "64")
    assert result.code == 0
    assert "000.png: has no mask" in result.err[0]
    (tmp_path / "empty").mkdir()
    assert "has no folders images and masks" in sfumato("evaluate", parser_file, "empty").err[0]
    assert "at least 32 pixels" in sfumato("evaluate", parser_file, people, "--side", "8").err[0]


def test_files_for_transformers_and_back(sfumato, parser_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = sfumato("export", parser_file, "--transformers", "-o", "out")
    assert (result.code, result.err) == (0, [])
    assert result.out == ["out/model.safetensors", "out/config.json", "out/preprocessor_config.json"]
    assert json.loads((tmp_path / "out" / "config.json").read_text())["id2label"]["11"] == "face"
    again = sfumato("export", parser_file, "--transformers", "-o", "out")
    assert again.code == 2
    assert "out/model.safetensors: exists already" in again.err[0]
    files = ("--file", "model=out/model.safetensors", "config=out/config.json", "-o", "again.safetensors")
    assert sfumato("import", "segformer", *files).code == 0
    assert zoo.card("again.safetensors").config["labels"] == list(PARTS)
    ours, theirs = (weights.load_tensors(path) for path in ("again.safetensors", parser_file))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)
    assert "is no parser" in sfumato("export", "microast/art", "--transformers", "-o", "other").err[0]
    assert sfumato("export", parser_file).code == 2


@pytest.mark.parametrize("names", [None, {str(k): f"LABEL_{k}" for k in range(18)}], ids=["no config", "LABEL_0"])
def test_a_file_that_does_not_name_its_classes_is_told_how_to_be_measured(sfumato, tmp_path, monkeypatch, names):
    monkeypatch.chdir(tmp_path)
    tensors, config = segformer.official(segformer.Model(tiny().method))
    save_file(tensors, "theirs.safetensors")
    files = ["model=theirs.safetensors"]
    if names:
        (tmp_path / "config.json").write_text(json.dumps(config | {"id2label": names}), encoding="utf-8")
        files.append("config=config.json")
    assert sfumato("import", "segformer", "--file", *files, "-o", "new.safetensors").code == 0
    folder = write_people(tmp_path / "people", 2)
    refused = sfumato("evaluate", "new.safetensors", folder)
    assert (refused.code, len(refused.err)) == (2, 1)
    remedy = "sfumato import segformer --file model=FILE --hint labels=parts -o OUT.safetensors"
    assert refused.err[0].endswith(f"import it anew: {remedy}")
    words = remedy.replace("FILE", "theirs.safetensors").replace("OUT", "named").split()[1:]
    assert sfumato(*words).code == 0
    assert sfumato("evaluate", "named.safetensors", folder).code == 0


def test_a_config_is_json_and_not_weights(sfumato, parser_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_file(segformer.Model(tiny().method).state_dict(), "model.safetensors")
    files = ("--file", "model=model.safetensors", "config=model.safetensors", "-o", "again.safetensors")
    result = sfumato("import", "segformer", *files)
    assert result.code == 2
    assert "model.safetensors: damaged, or not a JSON file" in result.err[0]
    assert "segformer    model, (config)" in "\n".join(sfumato("import", "--help").out)
