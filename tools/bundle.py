"""Makes a trained model one of those that come with the program: float16, and a card with licences and figures.

    python tools/bundle.py microast/art [run/microast.art/art.safetensors ...] [--shares 0.8 0.2]

Of the files of several stages the weights are averaged (Wortsman et al. 2022, arXiv:2203.05482); the card is that of
the last. What the run does not know of itself is in `bundled.json` beside this file. Without a file the bundled model
keeps its weights and gets its card anew, as after a new measurement: figures are read from benchmarks/results.
"""

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sfumato import weights
from sfumato.card import Card, DataSet, Figure

ROOT = Path(__file__).resolve().parent.parent
ASSETS = ROOT / "src" / "sfumato" / "assets"


def figures(names: dict[str, list[str]]) -> list[Figure]:
    """Measured numbers: for each result file in benchmarks/results the rows of the tables that are named."""
    found = []
    for file, tables in names.items():
        record = json.loads((ROOT / "benchmarks" / "results" / f"{file}.json").read_text(encoding="utf-8"))
        for table in tables:
            title = next(key for key in record if key.startswith(table))
            found += [f for row in record[title] for f in of_row(row, title, record)]
    return found


def of_row(row: dict[str, Any], title: str, record: dict[str, Any]) -> list[Figure]:
    """The numbers of one row, or only their ratio if it has one; its texts and its sizes say what they are of."""
    labels = [f"{v} px" if k == "size" else str(v) for k, v in row.items() if isinstance(v, str) or k == "size"]
    place = ", ".join([title, *labels])
    numbers = {k: v for k, v in row.items() if isinstance(v, float) and (k == "ratio" or "ratio" not in row)}
    source = {"command": record["command"], "machine": record["machine"]}
    return [Figure(name=f"{place}: {k}", value=float(f"{v:.4g}"), **source) for k, v in numbers.items()]


def card(name: str, own: Card) -> Card:
    """The run's card with what `bundled.json` and the benchmarks add."""
    known = json.loads((ROOT / "tools" / "bundled.json").read_text(encoding="utf-8"))[name]
    licences, results = known.pop("data_licences"), known.pop("figures")
    data = [DataSet(name=d.name, licence=licences.get(d.name, d.licence), count=d.count) for d in own.data]
    return dataclasses.replace(own, name=name, data=data, figures=figures(results), **known)


def averaged(files: list[Path], shares: list[float]) -> dict[str, Tensor]:
    """The weighted mean of models of one kind, in float32."""
    models = [weights.load_tensors(file, dtype=torch.float32) for file in files]
    return {
        key: sum((share * m[key] for share, m in zip(shares, models, strict=True)), torch.zeros(()))
        for key in models[0]
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("files", type=Path, nargs="*")
    parser.add_argument("--shares", type=float, nargs="+", help="of each file in the average; equal if left out")
    args = parser.parse_args()
    target = ASSETS / f"{args.name}.safetensors"
    files = args.files or [target]
    tensors = averaged(files, args.shares or [1 / len(files)] * len(files))
    target.parent.mkdir(exist_ok=True)
    weights.save(target, tensors, card(args.name, weights.read_card(files[-1])), dtype=torch.float16)
    print(f"{target.relative_to(ROOT)}: {target.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
