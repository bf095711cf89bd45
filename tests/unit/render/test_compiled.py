"""Machine code that is kept on disk goes with the sources that it was made from."""

import os
import shutil
import subprocess
import sys

from sfumato.render import compiled

# Two files of compiled functions, of which one uses what the other holds.
FIRST = "from .compiled import compiled\n\nLEAST = {least}\n\n\n@compiled\ndef twice(x):\n    return {times} * x\n"
SECOND = (
    "from .compiled import compiled\nfrom .first import LEAST, twice\n\n\n"
    "@compiled\ndef both(x):\n    return twice(x) if x > LEAST else 0.0\n"
)
READ = (
    "from pack.second import both\n"
    "print(both(3.0), sum(both.stats.cache_hits.values()), sum(both.stats.cache_misses.values()))"
)


def said(folder, program):
    """What a program prints that imports packages of a folder."""
    env = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"} | {"PYTHONPATH": str(folder)}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_machine_code_is_kept_until_any_file_changes(tmp_path):
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "__init__.py").write_text("", encoding="utf-8")
    shutil.copy(compiled.__file__, folder)
    (folder / "first.py").write_text(FIRST.format(least=1.0, times=2.0), encoding="utf-8")
    (folder / "second.py").write_text(SECOND, encoding="utf-8")
    assert said(tmp_path, READ) == "6.0 0 1"
    assert said(tmp_path, READ) == "6.0 1 0"
    (folder / "first.py").write_text(FIRST.format(least=1.0, times=5.0), encoding="utf-8")
    assert said(tmp_path, READ) == "15.0 0 1"  # of a function that it calls
    (folder / "first.py").write_text(FIRST.format(least=4.0, times=5.0), encoding="utf-8")
    assert said(tmp_path, READ) == "0.0 0 1"  # of a constant
    assert len([*(folder / "__pycache__").glob("second.both-*.nbc")]) == 1  # old code does not pile up
