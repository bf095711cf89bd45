"""Fails on files and functions that have outgrown their room (docs/design.md, Conventions).

    python tools/bounds.py FOLDER...

A file has at most 400 lines and a function 60, docstring and all. ruff counts parameters, branches and statements.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

FILE_LINES = 400
FUNCTION_LINES = 60


def overgrown(path: Path) -> Iterator[str]:
    """One line for each thing in the file that is too long."""
    text = path.read_text(encoding="utf-8")
    if (lines := len(text.splitlines())) > FILE_LINES:
        yield f"{path}: {lines} lines, at most {FILE_LINES}"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield f"{path}:{node.lineno}: {node.name} has {lines} lines, at most {FUNCTION_LINES}"


def main() -> None:
    found = [line for folder in sys.argv[1:] for path in sorted(Path(folder).rglob("*.py")) for line in overgrown(path)]
    print("\n".join(found) or "files and functions are within bounds")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
