"""The loop that answers Sfumato's requests, one after the other, until it closes the pipe.

`main` is called by the line of Python with which Blender is started; requests come through its standard input, answers
go to its standard output, and what Blender itself prints goes nowhere.
"""

import os
import signal
import sys
from functools import cache
from typing import Any

import bpy

from . import convert, messages
from .drawing import Drawing
from .messages import Arrays, Words


def main() -> None:
    """Answers requests; never comes back."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    answers.write(b"\n" + messages.HELLO)
    messages.write(answers, {})
    while True:
        try:
            words, arrays = messages.read(requests)
        except EOFError:
            os._exit(0)
        _end_after(words["seconds"])
        messages.write(answers, *_answer(words, arrays))
        _end_after(0)


def _answer(words: Words, arrays: Arrays) -> tuple[Words, Arrays]:
    match words["do"]:
        case "convert":
            return convert.to_glb(words["source"], words["target"]), {}
        case "mesh":
            _drawing().add(words["mesh"], arrays["corners"], arrays["sizes"])
            return {}, {}
        case "forget":
            _drawing().forget(words["mesh"])
            return {}, {}
        case _:
            return {}, _drawing().drawn(words, arrays)


@cache
def _drawing() -> Drawing:
    """Made when something is drawn: it would be in the way of files that are converted."""
    return Drawing()


def _end_after(seconds: int) -> None:
    """Has the system end this process if a request takes so long: Blender's own code hears nobody; 0: no more."""
    alarm: Any = getattr(signal, "alarm", None)  # Windows has none
    if alarm is not None:
        alarm(seconds)
