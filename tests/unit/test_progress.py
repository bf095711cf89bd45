import errno
import io
import sys
import time

import pytest

from sfumato import progress
from sfumato.progress import Progress, describe, duration, during


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def worked(stream, steps, *, seconds, **options):
    """Ten units a step, each step taking so many seconds; returns the line and the clock."""
    clock = Clock()
    line = Progress("images", label="training", stream=stream, clock=clock, **options)
    for i in range(steps + 1):
        line(10 * i, 1000)
        clock.now += seconds
    return line


def test_short_work_shows_nothing():
    stream = Terminal()
    with worked(stream, 9, seconds=0.1):
        pass
    assert not stream.getvalue()


def test_long_work_shows_share_rate_and_time_left():
    stream = Terminal()
    worked(stream, 50, seconds=1)
    last = stream.getvalue().split("\r")[-1].rstrip()
    assert last == "training  50 %  500 of 1,000 images  10 images/s  50 s left"


def test_the_line_is_drawn_ten_times_a_second_at_most():
    stream = Terminal()
    worked(stream, 2000, seconds=0.001)
    assert stream.getvalue().count("\r") <= 12


def test_the_line_is_wiped_at_the_end_and_before_other_words():
    stream = Terminal()
    with worked(stream, 20, seconds=1) as line:
        progress.clear()
        assert stream.getvalue().endswith(" \r")
        wiped = stream.getvalue()
        progress.clear()
        assert stream.getvalue() == wiped
        line(500, 1000)
        assert "500 of" in stream.getvalue().removeprefix(wiped)
    assert stream.getvalue().endswith(" \r")


def test_a_log_file_gets_plain_lines_now_and_then():
    stream = io.StringIO()
    with worked(stream, 100, seconds=1):
        pass
    lines = stream.getvalue().splitlines()
    assert len(lines) == 3
    assert all(line.startswith("training") for line in lines)
    assert "\r" not in stream.getvalue()


@pytest.mark.parametrize("stream", [Terminal(), io.StringIO()])
def test_quiet_is_quiet(stream):
    with worked(stream, 100, seconds=1, quiet=True):
        pass
    assert not stream.getvalue()


def test_without_a_stream_it_is_quiet(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    with worked(None, 100, seconds=1) as line:
        assert line.quiet


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("error", [BrokenPipeError(), OSError(errno.ENOSPC, "No space left on device")])
def test_a_line_that_nobody_reads_ends_no_work(error, terminal):
    class Broken(io.StringIO):
        tries = 0

        def isatty(self):
            return terminal

        def write(self, text):
            self.tries += 1
            raise error

    stream = Broken()
    with worked(stream, 100, seconds=1) as line:
        assert line.quiet
    assert stream.tries == 1


@pytest.mark.parametrize("kind", [Terminal, io.StringIO])
def test_work_that_cannot_tell_how_far_it_is(kind, monkeypatch):
    monkeypatch.setattr(progress, "DELAY_S", 0.01)
    monkeypatch.setattr(progress, "PLAIN_S", 0.01)
    stream, end = kind(), time.monotonic() + 60
    with during("reading lake.jpg", stream=stream):
        while stream.getvalue().count("reading lake.jpg  0 s") < 2 and time.monotonic() < end:
            time.sleep(0.01)
    shown = stream.getvalue()
    assert shown.count("reading lake.jpg  0 s") >= 2
    assert shown.endswith(" \r" if stream.isatty() else "s\n")
    time.sleep(0.05)
    assert stream.getvalue() == shown


def test_short_work_that_cannot_tell_shows_nothing(monkeypatch):
    stream = Terminal()
    with during("reading lake.jpg", stream=stream):
        pass
    monkeypatch.setattr(progress, "DELAY_S", 0.001)
    with during("reading lake.jpg", stream=stream, quiet=True):
        time.sleep(0.05)
    assert not stream.getvalue()


def test_a_resumed_run_counts_only_its_own_time():
    clock, stream = Clock(), Terminal()
    line = Progress("images", stream=stream, clock=clock)
    line(900, 1000)
    clock.now += 10
    line(910, 1000)
    assert line.rate() == 1.0


def test_the_rate_forgets_the_past():
    clock = Clock()
    line = Progress("images", stream=Terminal(), clock=clock)
    for i in range(100):
        line(i, 1000)
        clock.now += 10
    before = line.rate()
    for i in range(100):
        line(100 + 10 * i, 10000)
        clock.now += 1
    assert before == pytest.approx(0.1)
    assert line.rate() == pytest.approx(10, rel=0.1)


def test_it_fits_the_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    stream = Terminal()
    worked(stream, 20, seconds=1)
    assert max(map(len, stream.getvalue().split("\r"))) <= 29


def test_it_never_cancels():
    assert worked(Terminal(), 3, seconds=1)(1, 2) is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (61, "1 min 1 s"),
        (599.7, "10 min"),
        (3540, "59 min"),
        (3600, "1 h 0 min"),
        (200000, "2 d 7 h"),
    ],
)
def test_durations_in_words(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((5, 0, 0, "steps", ""), "5 steps"),
        ((2_500_000, 10_000_000, 1_250_000, "B", "vgg19"), "vgg19  25 %  2.5 of 10.0 MB  1.2 MB/s  6 s left"),
        ((2_500_000, 0, 0, "B", ""), "2.5 MB"),
        ((600_000, 3_200_000, 130_000, "px", "lake.jpg"), "lake.jpg  18 %  0.6 of 3.2 MP  0.1 MP/s  20 s left"),
        ((12_000, 40_000, 9_000, "px", "lake.jpg"), "lake.jpg  30 %  12,000 of 40,000 px  9,000 px/s  3 s left"),
        ((600_000, 3_200_000, 40_000, "px", ""), "18 %  0.6 of 3.2 MP  40,000 px/s  1 min 5 s left"),
        ((1, 4, 0.04123, "images", ""), "25 %  1 of 4 images  0.0412 images/s  1 min 13 s left"),
        ((30, 120, 0.5, "", "styling"), "styling  25 %  3 min 0 s left"),
        ((1, 4, 1234.5, "images", ""), "25 %  1 of 4 images  1,234 images/s  0 s left"),
    ],
)
def test_what_a_line_says(arguments, text):
    assert describe(*arguments) == text
