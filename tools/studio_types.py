"""Writes the types of the studio's interface for its page: src/sfumato/studio/static/types.d.ts.

    python tools/studio_types.py

`make check-page` compares the page's JavaScript with them; a test compares them with what the server says of itself.
"""

import json
from pathlib import Path
from typing import Any

from sfumato.studio.app import OPERATIONS
from sfumato.studio.openapi import document

TARGET = Path(__file__).resolve().parent.parent / "src/sfumato/studio/static/types.d.ts"
HEAD = "// Written by tools/studio_types.py from the studio's openapi.json: change it there.\n"
SIMPLE = {"string": "string", "number": "number", "integer": "number", "boolean": "boolean", "null": "null"}


def typed(node: dict[str, Any]) -> str:
    """What TypeScript calls the values of a JSON schema."""
    if "$ref" in node:
        return str(node["$ref"].rsplit("/", 1)[1]).replace("-", "")
    if "const" in node:
        return json.dumps(node["const"])
    if "enum" in node:
        return " | ".join(json.dumps(value) for value in node["enum"])
    for word in ("anyOf", "oneOf"):
        if word in node:
            return " | ".join(typed(each) for each in node[word])
    if "prefixItems" in node:
        return f"[{', '.join(typed(each) for each in node['prefixItems'])}]"
    if node.get("type") == "array":
        inner = typed(node["items"])
        return f"({inner})[]" if "|" in inner else f"{inner}[]"
    if node.get("type") == "object":
        return "Record<string, any>"
    return SIMPLE[node["type"]] if "type" in node else "any"


def interface(name: str, node: dict[str, Any], asked: bool) -> str:
    """A model. What is asked may leave out a field that has a default; an answer holds all."""
    lines = [f"/** {' '.join(node['description'].split())} */"] if "description" in node else []
    lines.append(f"export interface {name} {{")
    for field, inner in node.get("properties", {}).items():
        if about := inner.get("description"):
            lines.append(f"  /** {about} */")
        optional = "?" if asked and field not in node.get("required", ()) else ""
        lines.append(f"  {field}{optional}: {typed(inner)};")
    return "\n".join([*lines, "}"])


def names(node: Any) -> set[str]:
    """All models that a schema names."""
    if isinstance(node, dict):
        return {typed(node)} if "$ref" in node else set().union(*map(names, node.values()), set())
    return set().union(*map(names, node), set()) if isinstance(node, list) else set()


def text() -> str:
    """The whole file."""
    made = json.loads(document(OPERATIONS))
    nodes = {name.replace("-", ""): node for name, node in made["components"]["schemas"].items()}
    asked = names([operation.get("requestBody") for path in made["paths"].values() for operation in path.values()])
    while more := names([nodes[name] for name in asked]) - asked:
        asked |= more
    return HEAD + "".join(f"\n{interface(name, node, name in asked)}\n" for name, node in sorted(nodes.items()))


def main() -> None:
    TARGET.write_text(text(), encoding="utf-8")
    print(f"wrote {TARGET}")


if __name__ == "__main__":
    main()
