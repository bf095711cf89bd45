"""How the server and a process that works talk: frames over a pipe, a line of two lengths, JSON, and perhaps bytes.

To the process: {"op": NAME, "given": {...}} begins some work, {"cancel": true} ends it.
Back: {"kind": "progress" | "loading", ...} while it goes on, then {"kind": "result", "values": {...}} or
{"kind": "refusal", "problem": PROBLEM}.
"""

import json
from typing import Any

Message = dict[str, Any]


def packed(message: Message, content: bytes = b"") -> bytes:
    """A frame."""
    text = json.dumps(message).encode()
    return b"%d %d\n%b%b" % (len(text), len(content), text, content)


def lengths(line: bytes) -> tuple[int, int]:
    """Bytes of a frame's JSON and of what follows it, by its first line.

    Raises:
        ValueError: it is no such line.
    """
    text, content = line.split()
    return int(text), int(content)
