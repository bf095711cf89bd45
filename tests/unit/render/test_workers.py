import logging
import os
import time
from functools import partial
from pathlib import Path

import pytest

from sfumato.errors import DataError, FailedError
from sfumato.render.workers import each


def double(number):
    return {"id": number, "twice": 2 * number}


def dies_once(folder, number):
    """Kills its process at 3, the first time."""
    mark = Path(folder) / "died"
    if number == 3 and not mark.exists():
        mark.write_text("")
        os._exit(9)
    return double(number)


def dies(number):
    time.sleep(0.01)
    os._exit(9)


def dies_at_some(numbers, number):
    if number in numbers:
        os._exit(9)
    return double(number)


def complains(number):
    raise DataError(f"{number} is no good")


@pytest.mark.parametrize("workers", [0, 2])
def test_every_number_once(workers):
    found = list(each(double, range(20), workers))
    assert sorted(result["id"] for result in found) == list(range(20))
    assert all(result["twice"] == 2 * result["id"] for result in found)


def test_a_process_that_dies_loses_nothing(tmp_path, caplog):
    found = sorted(result["id"] for result in each(partial(dies_once, str(tmp_path)), range(12), 2))
    assert found == list(range(12))
    assert "a process died" in caplog.text


def warns(number):
    logging.getLogger("sfumato.render").warning("odd at %d", number)
    return double(number)


def test_what_processes_warn_of_is_said_by_ours(caplog, capfd):
    assert len(list(each(warns, range(3), 1))) == 3
    assert [record.getMessage() for record in caplog.records] == ["odd at 0", "odd at 1", "odd at 2"]
    assert capfd.readouterr().err == ""


def warns_and_complains(number):
    warns(number)
    return complains(number)


def test_warnings_outlive_an_error(caplog, capfd):
    with pytest.raises(DataError, match="0 is no good") as caught:
        list(each(warns_and_complains, range(1), 1))
    assert [record.getMessage() for record in caplog.records] == ["odd at 0"]
    assert capfd.readouterr().err == ""
    assert "in complains" in "".join(caught.value.__notes__), "the place in the other process"


def test_pictures_that_kill_their_process_hold_up_no_others():
    found, deadly = [], (0, 7)
    with pytest.raises(FailedError, match=r"processes died at 2 pictures, .*: 0, 7; all others are there"):
        found.extend(result["id"] for result in each(partial(dies_at_some, deadly), range(10), 2))
    assert sorted(found) == sorted({*range(10)} - {*deadly})


def test_processes_that_always_die():
    with pytest.raises(FailedError, match="died 3 times near picture 0"):
        list(each(dies, range(4), 1))


@pytest.mark.parametrize("workers", [0, 1])
def test_errors_come_through(workers):
    with pytest.raises(DataError, match=r"[0-2] is no good"):
        list(each(complains, range(3), workers))


def test_what_is_not_wanted_any_more_is_not_made():
    results = each(double, range(10_000), 1)
    assert next(results)["id"] == 0
    results.close()
