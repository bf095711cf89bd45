"""What the benchmarks share: where the data is, tables on the screen, JSON in benchmarks/results/.

python benchmarks/report.py    writes docs/results.md from them
"""

import datetime
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

from sfumato import device

Row = dict[str, Any]
HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "results.md"
INTRODUCTION = """<!-- Written by `python benchmarks/report.py` from benchmarks/results; do not edit. -->

# Measured

Each table comes from one run of the command above it, on the machine it names; figures in one table were taken side by
side."""


def data_folder() -> Path:
    """$SFUMATO_DATA, else ../shared/data beside the repository."""
    return Path(os.environ.get("SFUMATO_DATA") or HERE.parents[1] / "shared/data")


def machine() -> str:
    """One line: processor, cores, its bf16 units, versions."""
    return f"{device.describe(device.pick('auto'))}, Python {platform.python_version()}"


def show(name: str, tables: dict[str, list[Row]]) -> None:
    """Prints the tables with the machine's description and writes them to benchmarks/results/NAME.json."""
    print(f"\n{name} on {machine()}")
    for title, rows in tables.items():
        print(f"\n{title}\n{table(rows)}")
    path = HERE / "results" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    command = " ".join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *map(placeless, sys.argv[1:])])
    record = {"command": command, "machine": machine(), "date": datetime.date.today().isoformat(), **tables}
    path.write_text(json.dumps(record, indent=1) + "\n")


def placeless(word: str) -> str:
    """A word of a command without where things are on this machine.

    A full path, also one after `=`, is told from DATA on if it is below the folder of the data, else by its last folder
    and its name, or by its name alone if that is a folder's. Anything else stays as it is.
    """
    before, equals, last = word.rpartition("=")
    path, data = Path(last), data_folder()
    if not path.is_absolute():
        return word
    if path.is_relative_to(data):
        path = "DATA" / path.relative_to(data)
    else:
        path = Path(*path.parts[-2:] if path.suffix else path.parts[-1:])
    return f"{before}{equals}{path.as_posix()}"


def table(rows: list[Row]) -> str:
    """Rows of the same keys as a Markdown table."""
    heads = list(rows[0])
    lines = [[cell(row[h]) for h in heads] for row in rows]
    widths = [max(len(h), *(len(line[i]) for line in lines)) for i, h in enumerate(heads)]

    def join(cells: list[str]) -> str:
        return "| " + " | ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)) + " |"

    return "\n".join([join(heads), "|" + "|".join("-" * (w + 2) for w in widths) + "|", *map(join, lines)])


def cell(value: Any) -> str:
    """A number to four digits, nothing for None, anything else as it is."""
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def page() -> str:
    """docs/results.md: every result file, oldest name first."""
    parts = [INTRODUCTION]
    for path in sorted((HERE / "results").glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        about = f"`{record['command']}`, {record['date']}\n\n{record['machine']}"
        tables = [f"**{title}**\n\n{table(rows)}" for title, rows in record.items() if isinstance(rows, list)]
        drawn = PAGE.parent / "images" / f"{path.stem}.jpg"
        picture = [f"![{path.stem}](images/{drawn.name})"] if drawn.exists() else []
        parts += [f"## {path.stem}", about, *tables, *picture]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
