"""The interface for programs and for people: openapi.json and docs/studio-api.md, both of the same operations."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic.json_schema import models_json_schema

from .. import __version__
from .operations import Operation
from .problems import CODES
from .schema import Health, Model, Problem

REF = "#/components/schemas/{model}"
NAMES = {"sfumato__options__Options": "StylizeOptions", "sfumato__collage__options__Options": "CollageOptions"}
"""What two classes of one name are called."""


def document(operations: Sequence[Operation]) -> str:
    """openapi.json, version 3.1."""
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(plain_path(one.path), {})[one.method.lower()] = described(one)
    made = {
        "openapi": "3.1.0",
        "info": {"title": "Sfumato studio", "version": __version__},
        "paths": paths,
        "components": {"schemas": schemas(operations)},
    }
    text = json.dumps(made, ensure_ascii=False)
    for long, short in NAMES.items():
        text = text.replace(long, short)
    return text


def plain_path(path: str) -> str:
    """A path without the types of its parts."""
    return re.sub(r"\{(\w+):\w+\}", r"{\1}", path)


def models_of(operations: Sequence[Operation]) -> list[type[Model]]:
    """Every model that an operation names, once, in their order."""
    named = [
        kind for one in operations for kind in (one.body, one.answer, *one.events.values()) if isinstance(kind, type)
    ]
    return list(dict.fromkeys([*named, Problem]))


def schemas(operations: Sequence[Operation]) -> dict[str, Any]:
    """The JSON schemas of all models."""
    pairs: Any = [
        (kind, "serialization" if kind in answers(operations) else "validation") for kind in models_of(operations)
    ]
    _, made = models_json_schema(pairs, ref_template=REF)
    return dict(made["$defs"])


def answers(operations: Sequence[Operation]) -> set[Any]:
    """Models that are sent, not received."""
    return {kind for one in operations for kind in (one.answer, *one.events.values())}


def described(one: Operation) -> dict[str, Any]:
    """An operation as OpenAPI has it."""
    made: dict[str, Any] = {"operationId": one.name, "summary": one.about}
    if found := list(parameters(one)):
        made["parameters"] = found
    if one.body is not None:
        made["requestBody"] = {"required": True, "content": content(one.body)}
    good: dict[str, Any] = {"description": "done"}
    if one.answer is not None:
        good["content"] = content(one.answer)
    if one.events:
        good["x-events"] = {name: {"$ref": REF.format(model=kind.__name__)} for name, kind in one.events.items()}
    made["responses"] = {str(one.status): good} | refusals(one)
    if one.answer is Health:
        made["responses"]["503"] = {"description": "not ready", "content": content(Health)}
    return made


def parameters(one: Operation) -> Iterator[dict[str, Any]]:
    """What an operation takes beside its body, as OpenAPI has it."""
    for name, kind in re.findall(r"\{(\w+)(:int)?\}", one.path):
        yield {"in": "path", "name": name, "required": True, "schema": {"type": "integer" if kind else "string"}}
    for query in one.query:
        yield {"in": "query", "name": query.name, "schema": {"type": query.kind}, "description": query.about}
    if one.changes:
        about = "Forms of other sites cannot send it."
        yield {"in": "header", "name": "X-Studio", "required": True, "schema": {"const": "1"}, "description": about}
    if one.events:
        about = "The id of the last event that was heard: goes on behind it."
        yield {"in": "header", "name": "Last-Event-ID", "schema": {"type": "integer"}, "description": about}


def content(kind: type[Model] | tuple[str, ...]) -> dict[str, Any]:
    """A body or an answer as OpenAPI has it."""
    if isinstance(kind, type):
        return {"application/json": {"schema": {"$ref": REF.format(model=kind.__name__)}}}
    return {media: {} for media in kind}


def refusals(one: Operation) -> dict[str, Any]:
    """The problems that an operation can answer, by status."""
    by_status: dict[str, list[str]] = {}
    for code in one.codes:
        by_status.setdefault(str(CODES[code][0]), []).append(f"{code}: {CODES[code][1]}")
    return {
        status: {"description": " ".join(texts), "content": content(Problem)}
        for status, texts in sorted(by_status.items())
    }


INTRODUCTION = """<!-- Written by tools/docs.py from the source; do not edit. -->

# HTTP interface of the studio

All of it is under the address that `sfumato studio` prints. The same for programs: `GET /api/openapi.json`.

- Bodies and answers are JSON unless said otherwise. POST, PUT and DELETE need the header `X-Studio: 1`.
- Who changes something, or is refused, is told `{"error": code, "message": sentence, "hint": sentence, ...}`.
- A cookie makes the session; the first answer sets it, so ask for one thing before sending many at once. Pictures, jobs
  and files of another session are not found.
- Events are Server-Sent Events with names; `data` is JSON, and each has an `id`. After the last one of a job its stream
  ends; an EventSource that comes back then gets 204, which stops it. `GET /api/events` has those of all jobs.
- Pictures of an id never change, so browsers may keep them; masks and answers in JSON are not kept.
- `.../blend` and `.../stylize/preview` answer with the picture itself. Of several requests that wait only the newest is
  answered; older ones get 409 `superseded`.
- 429 carries `Retry-After` in seconds.
- Sizes are pixels, [width, height]."""


def page(operations: Sequence[Operation]) -> str:
    """docs/studio-api.md."""
    made = json.loads(document(operations))
    parts = [INTRODUCTION, "## Routes", *(route(one) for one in operations), "## Errors"]
    rows = "\n".join(f"| {code} | {status} | {about} |" for code, (status, about) in CODES.items())
    parts += [f"| code | status | when |\n|---|---|---|\n{rows}", "## Models"]
    parts += [model(name, schema) for name, schema in sorted(made["components"]["schemas"].items())]
    return "\n\n".join(parts) + "\n"


def route(one: Operation) -> str:
    """An operation as people read it."""
    return "\n".join([f"### {one.method} {plain_path(one.path)}", "", one.about, "", *facts(one)])


def facts(one: Operation) -> Iterator[str]:
    """What goes in and out of an operation, a line each."""
    for query in one.query:
        yield f"- `?{query.name}` ({query.kind}): {query.about}"
    for what, kind in (("body", one.body), (f"answer {one.status}", one.answer)):
        if isinstance(kind, type):
            yield f"- {what}: {kind.__name__}"
        elif kind is not None:
            yield f"- {what}: {', '.join(kind)}"
    if one.events:
        yield "- events: " + ", ".join(f"`{name}` {kind.__name__}" for name, kind in one.events.items())
    if one.errors:
        yield f"- errors: {', '.join(one.errors)}"


def model(name: str, schema: dict[str, Any]) -> str:
    """A model as people read it."""
    about, required = one_line(schema.get("description", "")), schema.get("required", [])
    rows = [
        f"| {field} | {kind_of(value)} | {default_of(value) if field not in required or 'default' in value else ''}"
        f" | {one_line(value.get('description', ''))} |"
        for field, value in schema.get("properties", {}).items()
    ]
    table = "\n".join(["| field | type | default | |", "|---|---|---|---|", *rows])
    return "\n\n".join(part for part in (f"### {name}", about, table) if part)


def one_line(text: str) -> str:
    """A text without line breaks."""
    return " ".join(text.split())


def default_of(value: dict[str, Any]) -> str:
    """A field's default, if it is short."""
    text = json.dumps(value["default"]) if "default" in value else ""
    return f"`{text}`" if text and len(text) < 40 else "its own defaults" if text else ""


def kind_of(value: dict[str, Any]) -> str:
    """The type of a field in words."""
    if "$ref" in value:
        return str(value["$ref"]).rpartition("/")[2]
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return ", ".join(f"`{one}`" for one in value["enum"])
    if several := value.get("anyOf") or value.get("oneOf"):
        return " or ".join(kind_of(one) for one in several)
    if value.get("type") == "array":
        if "prefixItems" in value:
            return "[" + ", ".join(kind_of(one) for one in value["prefixItems"]) + "]"
        return f"list of {kind_of(value.get('items', {}))}"
    low, high = value.get("minimum"), value.get("maximum", value.get("exclusiveMaximum"))
    bounds = (
        f", {'' if low is None else low} to {high}"
        if high is not None
        else f", from {low} on"
        if low is not None
        else ""
    )
    return str(value.get("type", "any")) + bounds
