"""Listing, showing, checking; downloads from a local server are in jobs."""

from pathlib import Path

from stylizers import make_microast

from sfumato import weights, zoo
from sfumato.addresses import ADDRESSES
from sfumato.card import Card, Figure


def test_list(sfumato):
    result = sfumato("models", "list")
    assert result.code == 0
    names = [line.split()[0] for line in result.out]
    assert names == [entry.name for entry in zoo.available()]
    assert set(ADDRESSES) <= set(names)


def test_show(sfumato, model_file):
    lines = sfumato("models", "show", model_file).out
    assert lines[0].split() == ["name", "tiny"]
    assert "title        A tiny one" in lines
    assert "config       width 8" in lines


def test_show_tells_what_to_know_before_the_figures(sfumato, tmp_path):
    figure = Figure(name="seconds", value=2, unit="s", command="time")
    told = {"notes": ["be careful"], "losses": {"style": 1.0}, "figures": [figure]}
    card = Card(name="tiny", method="microast", config={"width": 8}, title="A tiny one", **told)
    path = tmp_path / "told.safetensors"
    weights.save(path, make_microast(), card)
    names = [line.split()[0] for line in sfumato("models", "show", path).out]
    assert [name for name in names if name in told] == ["notes", "losses", "figures"]


def test_show_what_is_not_here(sfumato):
    lines = sfumato("models", "show", "vgg19").out
    assert "file         not here yet; `sfumato models get vgg19` downloads it" in lines


def test_verify(sfumato, model_file, tmp_path):
    assert "compared with its header" in sfumato("models", "verify", model_file).out[0]
    content = bytearray(Path(model_file).read_bytes())
    content[-1] ^= 1
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(content)
    result = sfumato("models", "verify", damaged)
    assert result.code == 2
    assert "damaged" in result.err[0]


def test_mistakes(sfumato):
    for words, message in [
        (["show"], "which model?"),
        (["list", "vgg19"], "`models list` takes no names"),
        (["show", "vgg20"], "there is no model 'vgg20'"),
        (["get", "vgg20"], "there is no model 'vgg20' to download"),
        (["verify", "no.safetensors"], "there is no such file"),
        (["grow"], "invalid choice: 'grow'"),
    ]:
        result = sfumato("models", *words)
        assert (result.code, len(result.err)) == (2, 1)
        assert message in result.err[0]
