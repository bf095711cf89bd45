"""The description of the interface, and answers that keep to it."""

import dataclasses
import json
from pathlib import Path

import pytest
from pydantic import TypeAdapter
from starlette.responses import Response
from studios import photo

from sfumato import zoo
from sfumato.card import Card
from sfumato.collage.options import Options as CollageOptions
from sfumato.options import Options
from sfumato.recipes import sketchygan
from sfumato.studio import openapi, problems
from sfumato.studio.app import OPERATIONS, checked
from sfumato.studio.bench import fits_of
from sfumato.studio.operations import Operation
from sfumato.studio.schema import Mask, Model, Problem


def test_the_page_is_what_the_operations_say(repository: Path):
    """`python tools/docs.py` writes it anew."""
    assert (repository / "docs" / "studio-api.md").read_text(encoding="utf-8") == openapi.page(OPERATIONS)


def test_the_document_is_served_and_complete(browser):
    made = browser.get("/api/openapi.json")
    assert made["openapi"].startswith("3.1")
    assert {(path, method) for path, methods in made["paths"].items() for method in methods} == {
        (openapi.plain_path(one.path), one.method.lower()) for one in OPERATIONS
    }
    text = json.dumps(made)
    names = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= set(made["components"]["schemas"])
    assert "sfumato__" not in text


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
def test_operations_name_codes_that_there_are(operation):
    assert set(operation.errors) <= set(problems.CODES)
    assert operation.about.endswith(".")
    assert ("{id}" in operation.path) <= ("not_found" in operation.errors)
    if isinstance(operation.answer, type):
        assert issubclass(operation.answer, Model)


def test_every_operation_has_a_name_of_its_own():
    assert len({one.name for one in OPERATIONS}) == len(OPERATIONS)


async def nothing(_call):
    return None


def test_answers_are_checked():
    one = Operation(handler=nothing, method="GET", path="/", answer=Mask, about="A mask.")
    mask = Mask(width=1, height=1, pixels=1, share=1.0)
    assert json.loads(checked(one, mask).body) == mask.model_dump()
    with pytest.raises(TypeError, match="nothing promises Mask and makes Problem"):
        checked(one, Problem(error="x", message="y"))
    picture = dataclasses.replace(one, answer=("image/png",))
    with pytest.raises(TypeError, match="promises image/png and makes text/html"):
        checked(picture, Response("", media_type="text/html"))
    with pytest.raises(TypeError, match="promises a response"):
        checked(picture, mask)


def test_forms_are_those_of_the_options(ready, browser):
    forms = browser.get("/api/options")
    assert forms["stylize"] == TypeAdapter(Options).json_schema()
    assert forms["collage"] == TypeAdapter(CollageOptions).json_schema()
    strength = forms["stylize"]["properties"]["strength"]
    assert (strength["minimum"], strength["maximum"], strength["default"]) == (0, 1, 1.0)
    assert strength["description"].startswith("How far to go")
    assert "iterations" in forms["texture"]["properties"]
    assert not {"seed", "content_weight", "precision"} & set(forms["texture"]["properties"])
    assert forms["save"]["properties"]["quality"]["maximum"] == 100
    requests = {name: form["properties"] for name, form in forms.pop("requests").items()}
    assert requests["variants"]["styles"]["maxItems"] == requests["stylize"]["styles"]["maxItems"] == 8
    assert requests["texture"]["swatches"]["maxItems"] == 4
    assert requests["texture"]["seed"]["exclusiveMaximum"] == 2**31
    assert requests["batch"]["photos"]["maxItems"] == 500
    for form in forms.values():
        assert all("description" in field or "$ref" in field for field in form["properties"].values())


def test_models_and_what_they_fit(ready, browser):
    models = {one["name"]: one for one in browser.get("/api/models")["models"]}
    assert models["microast/art"]["fits"] == ["stylize", "collage"]
    assert models["faces2toon"]["fits"] == ["translate", "collage"]
    assert models["gatys"]["fits"] == ["stylize", "collage", "texture"]
    assert models["hrnet/sketches"]["fits"] == models["colorize/faces"]["fits"] == []
    assert "sfumato models get vgg19" in models["vgg19"]["problem"]
    made = browser.upload(photo())["id"]
    browser.done(browser.post(f"/api/photos/{made}/stylize", {"styles": [made]}))
    loaded = [one["name"] for one in browser.get("/api/models")["models"] if one["loaded"]]
    assert "microast/art" in loaded
    assert not {"vgg19", "hrnet/sketches", "colorize/faces"} & set(loaded), "nobody asked for these"
    assert set(browser.get("/api/health")["loaded"]) == set(loaded)


def entry(method, config=None):
    """A model as its card tells."""
    card = Card(name="m", method=method, config=config or {}, title="", licence="")
    return zoo.Entry(name="m", place="cached", title="", licence="", size=1, path=Path("m"), card=card)


def test_what_a_model_would_fit_is_told_beside_why_it_cannot_be_used():
    """So that a page can show it where it would stand, and say what is wrong."""
    config = dataclasses.asdict(sketchygan.tiny().method)
    assert fits_of(entry("sketchygan", config)) == (
        ("translate", "collage"),
        "It must be told a class; `sfumato translate --label` does that.",
    )
    fits, problem = fits_of(entry("cut", {"magic": 1}))
    assert fits == ("translate", "collage")
    assert "magic" in problem
    absent = dataclasses.replace(entry("microast"), path=None)
    assert fits_of(absent) == (
        ("stylize", "collage"),
        "Not on this computer; `sfumato models get m` downloads it.",
    )
    assert fits_of(entry("cut")) == (("translate", "collage"), "")
    assert fits_of(dataclasses.replace(absent, card=None))[0] == ()


def test_health(ready, browser):
    health = browser.get("/api/health")
    assert (health["ready"], health["worker"], health["waiting"]) == (True, "ready", 0)
    assert "cores" in health["device"]
    assert health["limits"]["formats"] == ["image/jpeg", "image/png", "image/webp", "image/avif"]


def test_examples_can_be_brought(browser):
    examples = browser.get("/api/examples")["examples"]
    assert {one["use"] for one in examples} == {"photo", "style", "swatch"}
    for one in examples:
        browser.upload(browser.ask("GET", f"/api/examples/{one['name']}").body)


def test_the_document_names_headers_and_types(browser):
    paths = browser.get("/api/openapi.json")["paths"]
    for methods in paths.values():
        for method, one in methods.items():
            named = {(found["in"], found["name"]): found for found in one.get("parameters", ())}
            own = named.get(("header", "X-Studio"))
            assert (own is None) == (method == "get")
            assert own is None or (own["required"], own["schema"]) == (True, {"const": "1"})
            streams = any("x-events" in answer for answer in one["responses"].values())
            assert (("header", "Last-Event-ID") in named) == streams
    _, images = paths["/api/runs/{id}/samples/{images}"]["get"]["parameters"]
    assert images["schema"] == {"type": "integer"}
    assert "Health" in str(paths["/api/health"]["get"]["responses"]["503"])
    assert {"400", "413", "422", "429", "507"} <= set(paths["/api/textures"]["post"]["responses"])
