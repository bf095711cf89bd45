"""Which Blender is taken, and what happens where it is absent, dies, hangs or talks nonsense: all without a Blender."""

import ast
import io
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from blenders import fake, starts
from solids import figure, sphere

from sfumato.errors import DataError, FailedError, OptionError
from sfumato.render import render
from sfumato.render.blender import client as clients
from sfumato.render.blender import engine, files, found
from sfumato.render.blender.client import Client
from sfumato.render.blender.inside import messages
from sfumato.render.camera import View, framed
from sfumato.render.frame import Settings
from sfumato.render.job import Config

PLAIN = Settings(contact=False, suggestive=False, smooth=0)
WORKS = "greet()\nwhile True: square()"


@pytest.fixture
def _alone(monkeypatch, tmp_path):
    """No Blender anywhere."""
    monkeypatch.delenv(found.VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))

    def version(name):
        raise found.importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(found.importlib.metadata, "version", version)
    found._blender.cache_clear()


def made(folder, body, **limits):
    return Client(found._blender(str(fake(folder, body)), ""), **limits)


@pytest.fixture
def client(tmp_path):
    """Makes clients of fakes, which end with the test."""
    clients = []

    def one(body, **limits):
        clients.append(made(tmp_path, body, **limits))
        return clients[-1]

    yield one
    for client in clients:
        client.close()


def picture(one, **options):
    ball = figure(sphere())
    return engine.draw([ball], framed(ball.vertices, View(size=(64, 64))), PLAIN, client=one, **options)


@pytest.mark.usefixtures("_alone")
def test_without_a_blender_one_line_says_how_to_get_it():
    with pytest.raises(
        DataError, match=r"there is no Blender: set SFUMATO_BLENDER_PYTHON .*pip install bpy.*path"
    ) as caught:
        found.blender()
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("_alone")
def test_the_variable_comes_before_the_path_and_that_before_the_own_environment(tmp_path, monkeypatch):
    program, python = fake(tmp_path, "", name="blender"), fake(tmp_path, "")
    monkeypatch.setattr(found.importlib.metadata, "version", lambda name: {"bpy": "5.0.0"}[name])
    assert found.blender().where == "bpy" and found.blender().command[0] == sys.executable
    monkeypatch.setenv("PATH", str(tmp_path))
    assert found.blender().command[:2] == (str(program), "--background")
    monkeypatch.setenv(found.VARIABLE, str(python))
    one = found.blender()
    assert one.command[0] == str(python) and one.version == "5.0.1"


@pytest.mark.parametrize(
    ("version", "said"), [("4.2.23", r"Blender 4\.2\.23 .* is too old, 4\.5"), ("what?", "no Python")]
)
def test_what_is_no_blender_of_use_is_told(tmp_path, monkeypatch, version, said):
    monkeypatch.setenv(found.VARIABLE, str(fake(tmp_path, "", version=version)))
    with pytest.raises(DataError, match=said):
        found.blender()


def test_a_program_that_prints_its_name_first(tmp_path):
    assert found._blender("", str(fake(tmp_path, "", version="Blender 4.5.3 LTS", name="blender"))).version == "4.5.3"


def test_a_picture_through_pipes(tmp_path, client):
    one = client(WORKS)
    for _ in range(3):
        frame = picture(one)
        (stroke,) = frame.strokes
        assert stroke.kind == "silhouette" and stroke.figure == 0
        assert {tuple(point) for point in stroke.points.tolist()} >= {(10, 10), (50, 10), (50, 40), (10, 40)}
        assert frame.mask.any() and frame.lines.any()
    assert len(starts(tmp_path)) == 1


def test_one_that_does_not_start_says_why(tmp_path, client):
    one = client("sys.stderr.write('libGL.so is missing\\n\\n'); os._exit(3)")
    with pytest.raises(FailedError, match=r"does not start: it ended with code 3: libGL\.so is missing$"):
        picture(one)
    with pytest.raises(FailedError, match="did not answer within 0.5 s"):
        picture(client("time.sleep(600)", starting_s=0.5))
    with pytest.raises(FailedError, match="nonsense"):
        picture(client("while True: out.write(bytes(1 << 16))"))


def test_one_that_is_killed_is_started_again_once(tmp_path, client, caplog):
    dies = "greet()\nwhile True:\n    if starts == 1: answer(); os.kill(os.getpid(), signal.SIGKILL)\n    square()"
    one = client(dies)
    assert len(picture(one).strokes) == len(picture(one).strokes) == 1
    assert len(starts(tmp_path)) == 2
    assert "Blender died (it was killed (signal 9)); it is started again" in caplog.text


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("answer(); sys.stderr.write('out of memory'); os._exit(1)", "it ended with code 1: out of memory"),
        ("answer(); time.sleep(600)", "it did not answer within 2 s"),
        ("answer(); out.write(b'~' * 100); out.flush(); time.sleep(600)", r"it talks nonsense \(a head of \d+ bytes\)"),
        ("answer(); messages.write(out, {})", r"it talks nonsense \(an answer without kinds, points, starts\)"),
        ("answer(); out.write(b'\\x20\\0\\0\\0{'); out.flush(); os._exit(0)", "it ended with code 0"),
    ],
)
def test_one_that_goes_on_dying_is_given_up(tmp_path, client, body, said):
    one = client(f"greet()\n{body}", drawing_s=2)
    with pytest.raises(FailedError, match=rf"Blender 5\.0\.1 died twice while it drew a picture: .*{said}") as caught:
        picture(one)
    assert "\n" not in str(caught.value) and len(starts(tmp_path)) == 2


def test_meshes_are_sent_once(tmp_path, client):
    body = """greet()
seen = []
while True:
    words, arrays = messages.read(requests)
    seen.append(words["do"])
    points = np.zeros((0, 2)) if words["do"] == "draw" else np.zeros(0)
    open(os.path.join(os.path.dirname(started), "seen"), "w").write(" ".join(seen))
    messages.write(out, {}, {"points": points, "starts": np.zeros(1, "<i4"), "kinds": np.zeros(0, "<i4")})
"""
    one = client(body)
    for _ in range(3):
        assert picture(one).strokes == ()
    one.close()
    assert (tmp_path / "seen").read_text().split() == ["mesh", "draw", "draw", "draw"]


def test_meshes_that_are_not_used_any_more_go(tmp_path, client, monkeypatch):
    monkeypatch.setattr(clients, "KEPT", 2)
    body = """greet()
there = set()
while True:
    words, arrays = messages.read(requests)
    if words["do"] == "mesh": there.add(words["mesh"])
    if words["do"] == "forget": there.remove(words["mesh"])
    if words["do"] == "draw": assert set(words["meshes"]) <= there and len(there) <= 2 + 3, there
    if words["do"] == "draw" and starts == 1 and len(there) == 5: os._exit(1)
    messages.write(out, {}, {"points": np.zeros((0, 2)), "starts": np.zeros(1, "<i4"), "kinds": np.zeros(0, "<i4")})
"""
    one, balls = client(body), [figure(sphere(around=n)) for n in (8, 9, 10, 11, 12)]
    for crowd in (balls[:1], balls[1:4], balls[4:], balls[:3]):
        camera = framed(crowd[0].vertices, View(size=(32, 32)))
        assert engine.draw(crowd, camera, PLAIN, client=one).strokes == ()
    assert len(starts(tmp_path)) == 2  # one died when it held the most


def test_it_ends_with_its_parent(tmp_path):
    code = f"""
import os, signal, sys
sys.path[:0] = {sys.path!r}
from test_blender import made, picture
from pathlib import Path
one = made(Path({str(tmp_path)!r}), {WORKS!r})
picture(one)
os.kill(os.getpid(), signal.SIGKILL)
"""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == -signal.SIGKILL
    (process,) = starts(tmp_path)
    until = time.monotonic() + 20
    while alive(process) and time.monotonic() < until:
        time.sleep(0.05)
    assert not alive(process)


def alive(process):
    try:
        return (
            Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0]
            != "Z"
        )
    except OSError:
        return False


def test_messages_come_as_they_went():
    stream = io.BytesIO()
    arrays = {"a": np.arange(6.0).reshape(2, 3), "none": np.zeros((0, 2), np.float32), "b": np.array([3], np.uint8)}
    messages.write(stream, {"do": "draw", "size": [3, 4]}, arrays)
    data = stream.getvalue()
    words, back = messages.read(io.BytesIO(data))
    assert words == {"do": "draw", "size": [3, 4]}
    assert back.keys() == arrays.keys()
    for name, values in arrays.items():
        assert (
            back[name].dtype == values.dtype and np.array_equal(back[name], values) and back[name].shape == values.shape
        )
    for length in range(len(data)):
        with pytest.raises(EOFError):
            messages.read(io.BytesIO(data[:length]))


@pytest.mark.parametrize(
    "head",
    [
        b"[]",
        b"no JSON",
        b'{"words": 3, "arrays": []}',
        b'{"words": {}, "arrays": [3]}',
        b'{"words": {}, "arrays": [["a", "|O", [1]]]}',
        b'{"words": {}, "arrays": [["a", "<f8", [-1]]]}',
        b'{"words": {}, "arrays": [["a", "<f8", [1000000, 1000000]]]}',
    ],
)
def test_what_is_no_message(head):
    with pytest.raises(ValueError):  # noqa: PT011
        messages.read(io.BytesIO(len(head).to_bytes(4, "little") + head + bytes(100)))


@pytest.mark.parametrize(
    ("body", "error", "said"),
    [
        ("messages.write(out, {'error': 'holds no armature'})", DataError, "hero.fbx: holds no armature"),
        ("os._exit(4)", DataError, r"hero.fbx: Blender 5\.0\.1 cannot read it: it ended with code 4"),
    ],
)
def test_a_file_that_blender_cannot_read_leaves_nothing(tmp_path, monkeypatch, body, error, said):
    monkeypatch.setenv(found.VARIABLE, str(fake(tmp_path, f"greet()\nmessages.read(requests)\n{body}")))
    monkeypatch.setenv("SFUMATO_HOME", str(tmp_path / "home"))
    (tmp_path / "hero.fbx").write_bytes(b"x")
    with pytest.raises(error, match=said):
        files.as_gltf(tmp_path / "hero.fbx")
    assert not (tmp_path / "home").exists()


def test_a_file_is_converted_once_for_each_content(tmp_path, monkeypatch):
    body = """greet()
words, _ = messages.read(requests)
open(words["target"], "wb").write(open(words["source"], "rb").read()[::-1])
messages.write(out, {})
"""
    monkeypatch.setenv(found.VARIABLE, str(fake(tmp_path, body)))
    monkeypatch.setenv("SFUMATO_HOME", str(tmp_path / "home"))
    file = tmp_path / "hero.fbx"
    file.write_bytes(b"abc")
    made = files.as_gltf(file)
    assert made.read_bytes() == b"cba" and files.as_gltf(file) == made and len(starts(tmp_path)) == 1
    file.write_bytes(b"abd")
    assert files.as_gltf(file).read_bytes() == b"dba" and made.exists() and len(starts(tmp_path)) == 2


def test_a_set_without_blender_is_not_begun(tmp_path, monkeypatch):
    monkeypatch.setenv(found.VARIABLE, "/nowhere/python")
    config = Config(engine="blender", size=(64, 64))
    with pytest.raises(DataError, match="/nowhere/python is no Python that has bpy"):
        render(config, 2, tmp_path / "set")
    with pytest.raises(OptionError, match="freestyle: are drawn by Blender; add --engine blender"):
        render(replace(config, engine="native", strokes="freestyle"), 2, tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_what_runs_inside_blender_knows_nothing_of_sfumato():
    paths = sorted((Path(found.__file__).parent / "inside").glob("*.py"))
    assert len(paths) > 4
    allowed = sys.stdlib_module_names | {"bpy", "mathutils", "numpy", "freestyle", "parameter_editor"}
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert {alias.name.split(".")[0] for alias in node.names} <= allowed, path
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 1 or (not node.level and node.module.split(".")[0] in allowed), path
