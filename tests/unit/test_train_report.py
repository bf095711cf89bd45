"""The page of a run: one file that needs no other, whatever the run's names are, and small."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from sfumato.data.domains import Unpaired
from sfumato.recipes import cyclegan
from sfumato.train import charts, report, samples

EVIL = "<img src=x onerror=alert(1)> & \"two\" 'kinds'"
MODELS, LOSSES = ("a2b", "b2a"), ("generators/cycle_a", "generators/cycle_b", "discriminators/a")


class Tags(HTMLParser):
    """The page's elements, each with its attributes; all that are opened are closed."""

    def __init__(self, text):
        super().__init__()
        self.found, self.open = [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture
def recipe():
    made = cyclegan.tiny()
    return replace(made, title=EVIL, images=100_000, data=replace(made.data, a=(EVIL,), b=("b",)))


@pytest.fixture
def run(tmp_path):
    """A folder with the log of a long run and grids that do not compress."""
    rng = np.random.default_rng(0)
    with (tmp_path / "log.jsonl").open("w") as file:
        for i in range(1, 2001):
            line = {
                "images": 50 * i,
                "seconds": 5.0 * i,
                "images_per_s": 10.0,
                "data_share": 0.25,
                "lr/generators": 1e-4,
            }
            line |= {name: float(3 / i**0.5 + rng.random() * 0.1) for name in LOSSES}
            if i % 40 == 0:
                line |= {f"{model}/fd-compact": 100 + abs(i - 1000) / 10 for model in MODELS}
                line |= {f"{model}/diversity": 0.05 for model in MODELS}
            file.write(json.dumps(line) + "\n")
    (tmp_path / "samples").mkdir()
    for i in range(20):
        pixels = rng.integers(0, 256, (900, 1100, 3), np.uint8)
        cv2.imwrite(str(tmp_path / "samples" / f"{5000 * i:08d}.jpg"), pixels)
    return tmp_path


@pytest.fixture
def page(run, recipe):
    best = {"a2b": {"figure": "fd-compact", "value": 100.0, "images": 50_000}}
    machine = {"device": "cpu, fp32"}
    return report.page(run, recipe, report.Status(seen=100_000, ended="finished", best=best, machine=machine))


def test_it_needs_nothing_else_and_is_small(page):
    found = Tags(page).found
    sources = [attributes[key] for _, attributes in found for key in ("src", "href", "srcset") if key in attributes]
    assert len(sources) == samples.GRIDS
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    assert not {"script", "link", "iframe", "a"} & {tag for tag, _ in found}
    assert "url(" not in page and "@import" not in page
    (policy,) = [a["content"] for _, a in found if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert len(page) < 2_000_000


def test_names_cannot_break_it(page, recipe):
    assert "<img src=x" not in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt; &amp; &quot;two&quot; &#x27;kinds&#x27;") == 4
    broken = replace(recipe, title="</title></style><script>alert(1)</script>")
    status = report.Status(seen=1, ended="<b>", best={"<i>": {"figure": "<u>", "value": 1.0, "images": 1}})
    found = {tag for tag, _ in Tags(report.page(report.Path("<run>"), broken, status)).found}
    assert not {"b", "i", "u", "run", "script"} & found


def test_it_shows_all_there_is(page):
    for name in (*LOSSES, "lr/generators", "a2b/fd-compact", "b2a/diversity"):
        assert page.count(f'aria-label="{name}"') == 1
    for text in (
        "Finished",
        "best_a2b.safetensors",
        "fd-compact 100 after 50,000 images",
        "After 4,000 images: mode collapse: what b2a makes",
        "10 now, 10 overall",
        "25%",
        "method.width",
        "cpu, fp32",
    ):
        assert text in page, text
    assert "prefers-color-scheme: dark" in page


def test_it_loads_itself_anew_only_while_the_run_goes_on(run, recipe, page):
    assert 'http-equiv="refresh"' not in page
    going = report.page(run, recipe, report.Status(seen=60_000))
    assert 'http-equiv="refresh"' in going
    assert "Running: 60,000 of 100,000 images, about 1 h" in going
    assert "Samples after 60,000 images" in going and "Samples after 65,000 images" not in going


def test_a_run_that_has_not_begun(recipe, tmp_path):
    found = report.page(tmp_path, recipe, report.Status(seen=0))
    assert "Running: 0 of 100,000 images" in found
    assert "<svg" not in found and "<img" not in found
    assert "Recipe" in found


def test_recipes_of_every_kind_are_told(tmp_path):
    data = Unpaired(a=("x", "y"), b=(), shorter=(32, 64))
    rows = dict(report.flat(report.describe(replace(cyclegan.tiny(), data=data))))
    assert rows["data.a"] == "x, y"
    assert rows["data.shorter"] == "[32, 64]"
    assert rows["method.antialias"] == "false"
    assert rows["optimizers.generators.lr"] == "0.001"


# Samples


def test_grids_are_the_first_the_last_and_some_between(run):
    paths = sorted((run / "samples").glob("*.jpg"))
    chosen = samples.chosen(paths)
    assert (chosen[0], chosen[-1], len(chosen)) == (paths[0], paths[-1], samples.GRIDS)
    assert samples.chosen(paths[:3]) == paths[:3]
    assert samples.chosen([]) == []


def test_grids_fit_the_room(run):
    pixels = samples.read(run / "samples" / "00000000.jpg")
    assert len(samples.jpeg(pixels, 20_000)) <= 20_000
    assert len(samples.jpeg(pixels[:1, :1], 1)) > 1  # there is no smaller one


def test_files_that_are_no_grids_are_left_out(tmp_path):
    for name, content in {"00000001.jpg": b"", "00000002.jpg": b"no picture", "²2.jpg": b"", "mine.jpg": b""}.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "00000003.jpg").mkdir()
    assert samples.grids(tmp_path, 100) == ""


# Curves


def points(text, kind):
    (found,) = re.findall(rf'<polyline class="{kind}" points="([^"]*)"', text)
    return [tuple(map(float, pair.split(","))) for pair in found.split()]


def test_a_curve_lies_within_its_axes():
    values = [(100 * i, 5 + np.sin(i)) for i in range(1, 90)]
    drawn = points(charts.chart("x", values, kind="rate"), "mean")
    left, top, right, bottom = charts.MARGINS
    assert len(drawn) == 89
    assert drawn[-1][0] == charts.WIDE - right
    assert all(left <= x <= charts.WIDE - right and top <= y <= charts.HIGH - bottom for x, y in drawn)
    highest = max(range(89), key=lambda i: values[i][1])
    assert drawn[highest][1] == min(y for _, y in drawn)


@pytest.mark.parametrize("value", [0.0, 1e-30, -3.5, 1e30, 0.1])
def test_a_curve_of_one_value(value):
    assert "nan" not in charts.chart("x", [(1, value), (2, value)])
    assert "<circle" in charts.chart("x", [(1, value)])


def test_no_peak_is_lost_of_a_long_curve():
    values = [(i, 1.0) for i in range(10_000)]
    values[1234], values[5678] = (1234, 9.0), (5678, -9.0)
    thin = charts.thinned(values)
    assert len(thin) <= charts.MOST
    assert {values[1234], values[5678]} <= set(thin)
    assert thin == sorted(thin)


def test_only_the_figure_that_decides_has_its_best_marked():
    values = [(1, 3.0), (2, 1.0), (3, 2.0)]
    assert charts.chart("x", values, kind="falling").count('class="best"') == 1
    assert "1 after 2 images" in charts.chart("x", values, kind="falling")
    assert 'class="best"' not in charts.chart("x", values, kind="measured")


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0, 1, [0, 0.5, 1]), (0, 100_000, [0, 50_000, 100_000]), (-1, 2, [-1, 0, 1, 2]), (5, 5, None), (0, 0, None)],
)
def test_numbers_at_axes_are_round(low, high, ticks):
    found = charts.steps(low, high)
    assert found[0] <= low <= high <= found[-1]
    assert 2 <= len(found) <= 6
    assert ticks is None or found == ticks


def test_wide_ranges_are_logarithmic():
    assert charts.Axes([(1, 0.01), (2, 100.0)]).ticks == [0.01, 0.1, 1.0, 10.0, 100.0]
    assert not charts.Axes([(1, -0.01), (2, 100.0)]).logarithmic
    assert len(charts.powers(1e-20, 1e20)) <= 7


def test_numbers_of_images_are_short():
    assert [charts.short(n) for n in (0, 500, 20_000, 1_500_000)] == ["0", "500", "20k", "1.5M"]
