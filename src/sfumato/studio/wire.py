"""How the server and a process that works talk: frames over a pipe, a line of JSON and perhaps bytes behind it.

To the process: {"op": NAME, "given": {...}} begins some work, {"cancel": true} ends it.
Back: {"kind": "progress" | "loading", ...} while it goes on, then {"kind": "result", "values": {...}} or
{"kind": "refusal", "error": CODE, "message": ..., "hint": ...}. `content` in any of them tells how many bytes follow.
"""

import json
from typing import Any

Message = dict[str, Any]
CONTENT = "content"


def packed(message: Message, content: bytes = b"") -> bytes:
    """A frame."""
    line = json.dumps(message | ({CONTENT: len(content)} if content else {})).encode()
    return line + b"\n" + content


def unpacked(line: bytes) -> tuple[Message, int]:
    """The message of a frame's line, and the number of bytes that follow it."""
    message: Message = json.loads(line)
    return message, int(message.pop(CONTENT, 0))
