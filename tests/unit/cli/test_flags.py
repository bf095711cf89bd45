"""Flags from fields, and values from text."""

from dataclasses import dataclass
from typing import Annotated, Literal

import pytest
from annotated_types import Ge

from sfumato.cli import flags
from sfumato.cli.source import fields
from sfumato.errors import OptionError
from sfumato.options import Options


@dataclass(frozen=True, kw_only=True)
class Example:
    share: Annotated[float, Ge(0)] = 0.5
    counts: tuple[int, ...] = (1, 2)
    kind: Literal["a", "b"] = "a"
    narrow: bool = True


def parse(*words: str) -> dict[str, object]:
    made = flags.parser("stylize", "Does it.", [])
    flags.add(made, fields("options.py", "Options"))
    return flags.given(made.parse_args(words), fields("options.py", "Options"))


def test_what_is_not_given_is_left_to_the_class():
    assert parse() == {}
    assert flags.build(Options, parse()) == Options()


def test_text_becomes_values():
    given = parse("--strength", "0.5", "--weights", "2", "1", "--keep-colors", "coral", "--size", "800")
    assert flags.build(Options, given) == Options(strength=0.5, weights=(2.0, 1.0), keep_colors="coral", size=800)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"share": "-1"}, "--share -1: input should be greater than or equal to 0"),
        ({"share": "much"}, "--share much: input should be a valid number"),
        ({"counts": ["1", "x"]}, "--counts 1 x: input should be a valid integer"),
        ({"kind": "c"}, "--kind c: input should be 'a' or 'b'"),
    ],
)
def test_a_wrong_value_is_named(given, message):
    with pytest.raises(OptionError, match=f"^{message}"):
        flags.build(Example, given)


def test_help_tells_every_default_but_nothing_and_off():
    made = flags.parser("collage", "Does it.", [])
    flags.add(made, fields("collage/options.py", "Options"))
    told = " ".join(made.format_help().split())
    assert "it covers (0 to 1; default: 0.0)" in told
    assert "(0 to 1; default: 1.0)" in told
    assert "default: None" not in told
