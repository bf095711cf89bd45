import dataclasses
import math

import pytest
from toy import recipe as toy_recipe

from sfumato import recipes
from sfumato.errors import RecipeError
from sfumato.train.overrides import one_line, override
from sfumato.train.recipe import Optimizer, Recipe, Schedule, check, validated
from sfumato.train.state import schedule_factor


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    return toy_recipe(tmp_path_factory.mktemp("data"))


# Schedules


@pytest.mark.parametrize(
    ("schedule", "seen", "factor"),
    [
        (Schedule(), 0, 1),
        (Schedule(), 999, 1),
        (Schedule(warmup=10), 0, 0),
        (Schedule(warmup=10), 5, 0.5),
        (Schedule(warmup=10), 10, 1),
        (Schedule(kind="inverse", decay=5e-5), 20_000, 0.5),
        (Schedule(kind="cosine"), 0, 1),
        (Schedule(kind="cosine"), 250, (1 + math.cos(math.pi / 4)) / 2),
        (Schedule(kind="cosine"), 500, 0.5),
        (Schedule(kind="cosine"), 1000, 0),
        (Schedule(kind="cosine", start=500), 500, 1),
        (Schedule(kind="cosine", start=500), 750, 0.5),
        (Schedule(kind="cosine", warmup=100), 50, 0.5 * (1 + math.cos(math.pi / 20)) / 2),
        (Schedule(kind="linear", start=500), 400, 1),
        (Schedule(kind="linear", start=500), 750, 0.5),
        (Schedule(kind="linear", start=500), 1000, 0),
        (Schedule(kind="linear", start=2000), 900, 1),
        (Schedule(kind="linear"), 2000, 0),
        (Schedule(kind="linear", floor=0.2), 500, 0.6),
        (Schedule(kind="linear", floor=0.2), 2000, 0.2),
        (Schedule(kind="cosine", floor=0.2), 1000, 0.2),
        (Schedule(kind="step", every=300, factor=0.8), 299, 1),
        (Schedule(kind="step", every=300, factor=0.8), 300, 0.8),
        (Schedule(kind="step", every=300, factor=0.8), 900, 0.8**3),
        (Schedule(kind="step", every=300, factor=0.8, start=1000), 1200, 1),
        (Schedule(kind="step", every=100, factor=0.5, warmup=100), 50, 0.5),
    ],
)
def test_schedules(schedule, seen, factor):
    assert schedule_factor(schedule, seen, 1000) == pytest.approx(factor)


def test_the_authors_schedule_of_microast():
    paper = recipes.find("microast.paper")
    for step in (0, 1, 1000, 159_999):
        factor = schedule_factor(paper.schedule, step * paper.batch, paper.images)
        assert factor == pytest.approx(1 / (1 + 5e-5 * step))


# Values


def test_a_valid_recipe_is_itself(recipe):
    assert validated(recipe) == recipe


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"images": 0}, "images: "),
        ({"images": 3}, "images: 3 are less than one batch of 4"),
        ({"batch": -1}, "batch: "),
        ({"seed": 2**31}, "seed: "),
        ({"precision": "fp8"}, "precision: "),
        ({"workers": 1.5}, "workers: "),
        ({"schedule": Schedule(kind="steps")}, "schedule.kind: "),
        ({"schedule": Schedule(decay=-1)}, "schedule.decay: "),
        ({"optimizers": {"painter": Optimizer(lr=0)}}, "optimizers.painter.lr: "),
        ({"optimizers": {"painter": Optimizer(lr=math.nan)}}, "optimizers.painter.lr: "),
        ({"optimizers": {"painter": Optimizer(betas=(0.9, 1.0))}}, "optimizers.painter.betas.1: "),
        ({"method": "toy"}, "method: "),
        ({"data": None}, "data: "),
    ],
)
def test_a_wrong_value_is_named(recipe, change, words):
    with pytest.raises(RecipeError, match="^" + words.replace(".", r"\.")) as caught:
        validated(dataclasses.replace(recipe, **change))
    assert "\n" not in str(caught.value)


def test_wrong_values_of_method_and_data_are_named(recipe):
    with pytest.raises(RecipeError, match=r"^method\.width: "):
        validated(dataclasses.replace(recipe, method=dataclasses.replace(recipe.method, width="wide")))
    with pytest.raises(RecipeError, match=r"^data\.size: .*greater than 0, not 0"):
        validated(dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, size=0)))


def test_an_optimizer_without_group_is_named(recipe):
    with pytest.raises(RecipeError, match="'critic'; it has painter"):
        check(recipe, ["painter"], 1)


def test_a_batch_that_cannot_be_shared(recipe):
    check(recipe, ["painter", "critic"], 2)
    with pytest.raises(RecipeError, match="^batch: 4 samples cannot be shared evenly by 3"):
        check(recipe, ["painter", "critic"], 3)


# Overrides


def test_overrides_of_every_kind():
    words = "--images 1000 --data.content a b --optimizers.stylizer.lr 1e-2 --method.partial 0.3 --data.shorter 3 4"
    more = "--compile --data-licences a CC0 b MIT --notes x --schedule.kind linear --save_every 7 --title=T"
    made = recipes.parse("microast.art", [*words.split(), *more.split(), "--attribution", "A B", "C"])
    before = recipes.find("microast.art")
    assert made == dataclasses.replace(
        before,
        images=1000,
        data=dataclasses.replace(before.data, content=("a", "b"), shorter=(3, 4)),
        optimizers={"stylizer": dataclasses.replace(before.optimizers["stylizer"], lr=1e-2)},
        method=dataclasses.replace(before.method, partial=0.3),
        compile=True,
        data_licences={"a": "CC0", "b": "MIT"},
        notes=("x",),
        schedule=dataclasses.replace(before.schedule, kind="linear"),
        save_every=7,
        title="T",
        attribution=("A B", "C"),
    )


def test_no_override_changes_nothing():
    assert recipes.parse("microast.tiny", []) == recipes.find("microast.tiny")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--imagess 3", "the recipe has no field --imagess; did you mean --images?"),
        ("--images x", "--images: invalid literal"),
        ("--images", "missing value for argument '--images'"),
        ("--images 3.5", "--images: invalid"),
        ("--images -3", "images: input should be greater than 0, not -3"),
        ("--images 2", "images: 2 are less than one batch of 4"),
        ("--optimizers.painter.lr 3", "no field --optimizers.painter.lr; did you mean --optimizers.stylizer.lr?"),
        ("--lr 3", "the recipe has no field --lr; did you mean --optimizers.stylizer.lr?"),
        ("--weight_decays=0.1", "no field --weight_decays; did you mean --optimizers.stylizer.weight-decay?"),
        ("--stylizer.lrs 3", "no field --stylizer.lrs; did you mean --optimizers.stylizer.lr?"),
        ("--epochs 15", "no field --epochs; --images says how long a run is: epochs times the pictures of the set"),
        ("--step 15", "no field --step; --images says how long a run is: steps times --batch"),
        ("--every 5", "did you mean --schedule.every or --watch.every?"),
        (
            "--lr -3 --epochs 15 --zzz",
            "the recipe has no field --lr; did you mean --optimizers.stylizer.lr? Nor has it --epochs; --images says"
            " how long a run is: epochs times the pictures of the set. Nor has it --zzz; --help lists all",
        ),
        ("--optimizers.stylizer.lr 0", "optimizers.stylizer.lr: "),
        ("--precision fp8", "'fp8' for argument '--precision'"),
        ("--data.shorter 3", "'--data.shorter'"),
        ("--method.partial 2", "method.partial: "),
        ("photos", "'photos' stands alone"),
        ("--zzz", "--help lists all"),
    ],
)
def test_a_wrong_override_is_one_line_that_names_it(words, message):
    with pytest.raises(RecipeError) as caught:
        recipes.parse("microast.art", words.split())
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_help_lists_fields_with_their_docstrings(capsys):
    with pytest.raises(SystemExit) as caught:
        recipes.parse("microast.art", ["--help"])
    assert not caught.value.code
    said = capsys.readouterr()
    assert "--data.content" in said.out
    assert "Folders of photographs." in said.out
    assert "sfumato train microast.art" in said.out
    assert not said.err


def test_a_frame_becomes_a_line():
    box = "╭─ Value error ──╮\n│ Error parsing --a: no │\n│ number │\n│ ──────── │\n│ Argument helptext: │\n╰────╯"
    assert one_line(box) == "--a: no number"


# Names


def test_recipes_are_found_by_name():
    names = recipes.available()
    assert {"microast.art", "microast.paper", "vgg.compact"} <= names.keys()
    assert all(names.values())
    assert not any(name.endswith(".tiny") for name in names)
    for name in names:
        assert isinstance(recipes.find(name), Recipe)
    assert recipes.find("microast.tiny").images == 8


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("microast.arts", "did you mean microast.art?"),
        ("microast", "there is no recipe 'microast'; there are microast.art, microast.paper"),
        ("zzz", "there are "),
        ("x.tiny", "there are "),
        ("os.system", "there"),
    ],
)
def test_an_unknown_recipe(name, words):
    with pytest.raises(RecipeError, match="there is no recipe") as caught:
        recipes.find(name)
    assert words in str(caught.value)


def test_override_from_python(recipe):
    assert override(recipe, ["--method.width", "8"]).method.width == 8
