"""The texts of the studio's page: two whole languages, and none of them in the code."""

import re
from pathlib import Path

import browsers
import pytest

from sfumato.studio import notes, problems

SCRIPTS = sorted(path for path in browsers.STATIC.rglob("*.js") if path.parent.name != "strings")
LANGUAGES = ("en", "ro")
MADE = (
    "part",
    "preset",
    "filter",
    "choice",
    "field",
    "help",
    "error",
    "detail",
    "note",
    "example",
    "model",
    "keys",
    "step",
    "tab",
    "pick",
)
"""What keys begin with that the code puts together, from words of the server or of a table."""
SAME = {"app.name", "versus.a", "versus.b", "tool.pixels", "health.ready", "notice.failed", "variants.note"}
"""Texts that are alike in all languages, beside units and names of formats."""
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')


def texts(language: str) -> dict[str, str]:
    source = (browsers.STATIC / "strings" / f"{language}.js").read_text(encoding="utf-8")
    pairs = re.findall(r'^  "([^"]+)": "((?:[^"\\]|\\.)*)",$', source, re.MULTILINE)
    assert len(pairs) == len(re.findall(r"^  .", source, re.MULTILINE)), "a line is no text"
    assert len(dict(pairs)) == len(pairs), "a key stands twice"
    return dict(pairs)


def bare(path: Path) -> str:
    """The code of a script without its comments and without what only developers are told."""
    source = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    source = re.sub(r"(?<![:\"'`])//[^\n]*", "", source)
    return re.sub(r"throw new \w+\([^\n]*", "", source)


CODE = {path: bare(path) for path in SCRIPTS}


def literals() -> set[str]:
    return {text for code in CODE.values() for text in LITERAL.findall(code)}


def test_all_languages_have_the_same_keys_and_values():
    first, *others = map(texts, LANGUAGES)
    assert len(first) > 300
    for other in others:
        assert list(other) == list(first)
        for key, text in other.items():
            assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", first[key])), key
            assert bool(text) == bool(first[key]), key


def test_a_translation_is_not_the_original():
    english, other = texts("en"), texts("ro")
    alike = {key for key, text in english.items() if text and other[key] == text}
    assert {
        key for key in alike - SAME if not key.startswith(("time.", "size.", "choice.", "field.", "filter.", "model."))
    } == set()


def test_every_text_that_the_code_names_is_there():
    keys = texts("en")
    named = set()
    for code in CODE.values():
        named |= set(re.findall(r'\b(?:t|label|tip|hint): "(\w+\.[^"]+)"', code))
        named |= set(re.findall(r'\b(?:say|text)\([^"\n]*?"([a-z_]+\.[a-z_.]+)"', code))
        named |= set(re.findall(r'\bbutton\("\w+", "([^"]+)"', code))
        named |= set(re.findall(r'\bnotice\("\w+", "([^"]+)"', code))
    assert len(named) > 150
    assert named - set(keys) == set()


def test_all_that_the_server_refuses_is_said_by_the_page():
    """Whatever the language; the values that a sentence takes are those that the server sends."""
    for keys in map(texts, LANGUAGES):
        assert {f"error.{code}" for code in problems.CODES} - set(keys) == set()
        details = {key: text for key, text in keys.items() if key.startswith("detail.")}
        assert {key.removeprefix("detail.") for key in details} == set(problems.DETAILS)
        for name, values in problems.DETAILS.items():
            assert values_of(details[f"detail.{name}"]) == set(values), name


def test_all_that_the_server_notes_is_said_by_the_page():
    for keys in map(texts, LANGUAGES):
        said = {key.removeprefix("note."): text for key, text in keys.items() if key.startswith("note.")}
        assert {code: values_of(text) for code, text in said.items()} == {
            code: values_of(text) for code, text in notes.NOTES.items()
        }


def values_of(text):
    """The names of what a text leaves open."""
    return set(re.findall(r"\{(\w+)\}", text))


def test_every_text_is_used():
    used = literals()
    for code in CODE.values():
        used |= {f"{before}{{}}" for before in re.findall(r"`([a-z_]+\.[a-z_]*)\$\{", code)}
    unused = [
        key
        for key in texts("en")
        if key not in used
        and key.split(".")[0] not in MADE
        and not any(made.endswith("{}") and key.startswith(made[:-2]) for made in used)
    ]
    assert unused == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.relative_to(browsers.STATIC).as_posix())
def test_no_text_stands_in_the_code(path):
    """A text is two words in a row, or one with a capital; names of keys, classes and events are neither."""
    code = CODE[path]
    allowed = re.compile(
        r"[MmLlHhVvCcSsAaZz0-9 .,-]+"
        r"|(Arrow\w*|Enter|Escape|Tab(  V)?|Control\+\S+|\w+ \+ .*|Abort\w+|Content-Type|X-Studio)"
    )
    lines = [text for text in LITERAL.findall(code) if re.search(r"[a-z]{2} [a-z]{2}|\b[A-Z][a-z]+\b", text)]
    classes = set(re.findall(r'\bclass(?:Name)?(?:: | = )"([^"]+)"', code)) | set(
        re.findall(r'class: \w+\.\w+ \? "([^"]+)"', code)
    )
    assert [text for text in lines if text not in classes and not allowed.fullmatch(text)] == []


def test_the_types_of_the_page_are_those_of_the_server(repository, monkeypatch):
    monkeypatch.syspath_prepend(repository / "tools")
    import studio_types

    assert studio_types.TARGET == browsers.STATIC / "types.d.ts" or not str(browsers.STATIC).startswith(str(repository))
    assert studio_types.text() == (browsers.STATIC / "types.d.ts").read_text(encoding="utf-8"), (
        "run tools/studio_types.py"
    )


def test_nothing_on_the_page_comes_from_elsewhere_or_stands_inline():
    for path in browsers.STATIC.rglob("*"):
        if path.suffix not in (".js", ".css", ".html", ".svg", ".webmanifest"):
            continue
        source = path.read_text(encoding="utf-8").replace("http://www.w3.org/", "")
        assert not re.search(r"https?://|//[a-z]+\.[a-z]{2,}", source), path
    page = (browsers.STATIC / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)


def test_the_mask_editor_stands_alone():
    """It needs nothing of the page but its pointers, its keys and the mask, and those need nothing."""
    parts = ["./editor-keys.js", "./editor-pointers.js", "./mask.js"]
    imports = {
        name: re.findall(r'from "([^"]+)"', bare(browsers.STATIC / name)) for name in ("./mask-editor.js", *parts)
    }
    assert imports == {"./mask-editor.js": parts} | {name: [] for name in parts}
