"""The project's own files agree with each other."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def project(repository: Path) -> dict:
    return tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def pins(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.lower().replace("_", "-").split("==") for line in lines if line and not line.startswith("#"))


def name_of(requirement: str) -> str:
    return re.match(r"[\w-]+", requirement)[0].lower()


def imported(package: Path) -> set[str]:
    """Top-level names that the package imports from elsewhere, whether at once or later."""
    names = set()
    for path in package.rglob("*.py"):
        if path.parent.name == "inside":  # runs in Blender's Python, with what that has
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add(node.module.split(".")[0])
    return names - sys.stdlib_module_names - {package.name}


def test_what_is_imported_is_what_is_installed(project, repository):
    renamed = {"cv2": "opencv-python-headless", "PIL": "pillow"}
    names = {renamed.get(name, name.replace("_", "-")) for name in imported(repository / "src" / "sfumato")}
    extras = project["optional-dependencies"]
    optional = {name_of(requirement) for requirement in [*extras["onnx"], *extras["video"], *extras["ray"]]}
    assert names - optional == {name_of(requirement) for requirement in project["dependencies"]}


def test_the_oldest_constraints_are_the_floors(project, repository):
    oldest = pins(repository / "constraints-oldest.txt")
    for requirement in project["dependencies"]:
        name, floor = name_of(requirement), re.search(r">=([\d.]+)", requirement)[1]
        if name != "torch":  # its oldest release has no small build
            assert (oldest[name] + ".").startswith(floor + "."), f"{requirement}: tested with {oldest[name]}"


def test_every_tool_and_dependency_is_pinned(project, repository):
    pinned = pins(repository / "constraints.txt")
    extras = project["optional-dependencies"]
    wanted = {name_of(r) for r in [*project["dependencies"], *extras["test"], *extras["dev"]]} - {"sfumato"}
    assert wanted <= pinned.keys(), wanted - pinned.keys()


def test_both_constraints_run_the_same_test_tools(project, repository):
    newest, oldest = pins(repository / "constraints.txt"), pins(repository / "constraints-oldest.txt")
    for name in map(name_of, project["optional-dependencies"]["test"]):
        assert newest[name] == oldest[name], name


def test_every_dependency_is_argued_for(project, repository):
    text = (repository / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for requirement in project["dependencies"]:
        assert f"| {name_of(requirement)} |" in text, requirement


def test_the_version_is_in_the_changelog(repository):
    import sfumato

    text = (repository / "CHANGELOG.md").read_text(encoding="utf-8")
    changes = dict(re.findall(r"^## \[([^\]]+)\].*?$(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE))
    assert changes.get(sfumato.__version__, changes.get("Unreleased", "")).strip()
