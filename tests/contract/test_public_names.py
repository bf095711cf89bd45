"""The public names, as an inventory: whoever adds or removes one says so here and in the changelog."""

import re

import sfumato

NAMES = {
    "Distance",
    "PartParser",
    "Parts",
    "PoseEstimator",
    "SfumatoError",
    "Translator",
    "__version__",
    "available",
    "blend",
    "collage",
    "distance",
    "evaluate_parts",
    "evaluate_pose",
    "export_onnx",
    "export_transformers",
    "first_zone",
    "import_official",
    "load",
    "stylize",
    "train",
    "verify",
}


def test_inventory():
    assert set(sfumato.__all__) == NAMES
    assert sorted(sfumato.__all__) == dir(sfumato)


def test_each_name_leads_somewhere():
    for name in NAMES - {"__version__"}:
        assert callable(getattr(sfumato, name)), name


def test_train_is_the_package_and_can_be_called():
    import sfumato.train
    from sfumato.train import Recipe

    assert sfumato.train.Recipe is Recipe
    assert callable(sfumato.train)


def test_collage_is_the_package_and_can_be_called():
    import sfumato.collage
    from sfumato.collage import Options

    assert sfumato.collage.Options is Options
    assert callable(sfumato.collage)


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(sfumato, "opt")


def test_version():
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.dev\d+)?", sfumato.__version__)
