"""How well poses are found: in rendered figures and motions that no training saw, and in real drawings.

    python benchmarks/poses.py --makehuman FOLDER --sets FOLDER [--model hrnet/sketches] [--make]

`--sets` is where rendered sets are, or are made; with `--make` only that, those that the model learns from, too. Held
out from these are the Knight, all looks of the built-in figure and all bodies of MakeHuman but theirs, and the motions
of `HELD`. Real drawings are those of SFUMATO_DATA, labelled by eye. AP and AR are COCO's, the interval is that of 95 %
by resampling figures, PCK the share of keypoints within a tenth of a figure's longer side.

Figures are looked for in their labelled boxes, then in the box about the picture's ink, as `sfumato pose` does without
--box. The last table tells what number formats cost: AP, and the distance of joints from those by float32, in pixels of
what is cut out for the network.
"""

import argparse
from pathlib import Path

import numpy as np
from report import Row, data_folder, show

from sfumato import cli
from sfumato.pose import PoseEstimator, PoseReport, evaluate_pose

POSES = "makehuman_poses_cc0"
HELD = (
    "cmu/05_06",
    "animated_drawings_mit/rokoko/jesse_dance",
    "animated_drawings_mit/fair1/dab",
    *(f"{POSES}/{name}" for name in ("fight01", "fight02", "gym01", "sit01", "standing04", "standing05")),
)
SEEN = (
    "cmu/02_01",
    "cmu/cmu_12_01_walk",
    "animated_drawings_mit/cmu1/jumping_jacks",
    *(f"animated_drawings_mit/fair1/{name}" for name in ("jumping", "wave_hello", "zombie")),
    *(f"{POSES}/{name}" for name in ("fight03", "fight04", "fly01", "fly02", "run01", "benchmark")),
    *(f"{POSES}/standing0{number}" for number in (1, 2, 3, 6)),
)
VARIED = "--line-width 1 4 --elevation-deg -20 40 --field-deg 15 60 --margin 0.02 0.25"
LEARNED = {"doll": 4500, "human": 1000, "rogue": 400}
EACH = 200
"""Pictures of a held-out set."""


def motions(names: tuple[str, ...]) -> list[str]:
    return [str(data_folder() / "motion" / f"{name}.bvh") for name in names]


def rendered(folder: Path, name: str, words: list[str]) -> None:
    """A set by `sfumato render`; what is there already stays.

    Raises:
        SystemExit: the command failed.
    """
    if cli.main(["render", *words, "-o", str(folder / name)]):
        raise SystemExit(f"{name}: not made")


def characters(makehuman: str) -> dict[str, str]:
    kaykit = data_folder() / "characters" / "kaykit"
    return {
        "doll": "mannequin",
        "human": makehuman,
        "rogue": str(kaykit / "Rogue.glb"),
        "knight": str(kaykit / "Knight.glb"),
    }


def make_learned(folder: Path, makehuman: str) -> None:
    """The sets that `hrnet/sketches` learns from."""
    who = characters(makehuman)
    for seed, (name, count) in enumerate(LEARNED.items(), 1):
        does = ["own"] if name == "rogue" else motions(SEEN)
        variants, liberties = (2000, 0.3) if name == "doll" else (1000, 0.2)
        words = f"--count {count} --seed {seed} --variants {variants} --exaggerate {liberties} {VARIED}".split()
        rendered(folder, name, ["--character", who[name], "--motion", "builtin", "random", *does, *words])


def make_held(folder: Path, makehuman: str) -> list[str]:
    """The sets that no training sees, by name."""
    for name in ("doll", "human", "knight"):
        words = ["--character", characters(makehuman)[name], "--motion", *motions(HELD)]
        rendered(folder, f"held-{name}", [*words, "--count", str(EACH), "--seed", "900"])
    return [f"held-{name}" for name in ("doll", "human", "knight")]


def row(title: str, found: PoseReport) -> Row:
    stats, precision = found.precision.stats, found.precision
    return {
        "drawings": title,
        "figures": len(found.scored),
        "AP": stats["AP"],
        "from": precision.low,
        "to": precision.high,
        "AP50": stats["AP50"],
        "AP75": stats["AP75"],
        "AR": stats["AR"],
        "PCK": found.mean_correct,
        "ms a figure": found.seconds * 1000,
    }


def apart(exact: PoseReport, other: PoseReport, height: int) -> tuple[float, float]:
    """The share of joints nearer than half a pixel of what is cut out, and the largest distance."""
    ours = {s.figure.path: s.pose for s in exact.scored}
    distances = []
    for s in other.scored:
        pose = ours[s.figure.path]
        pixel = (pose.area / 0.75) ** 0.5 / height  # cut out at 3 : 4
        distances.append(np.linalg.norm(s.pose.joints - pose.joints, axis=1) / pixel)
    every = np.concatenate(distances)
    return float((every < 0.5).mean()), float(every.max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--makehuman", metavar="FOLDER", required=True)
    parser.add_argument("--sets", metavar="FOLDER", type=Path, required=True)
    parser.add_argument("--model", default="hrnet/sketches")
    parser.add_argument("--make", action="store_true")
    given = parser.parse_args()
    held = make_held(given.sets, given.makehuman)
    if given.make:
        make_learned(given.sets, given.makehuman)
        return
    exact = PoseEstimator(given.model, precision="fp32")
    folders = {name: given.sets / name for name in held} | {"real": data_folder() / "drawings" / "labelled"}
    reports = {name: evaluate_pose(exact, folder) for name, folder in folders.items()}
    by_ink = [row(name, evaluate_pose(exact, folder, boxes="ink")) for name, folder in folders.items()]
    by_label = [row(name, found) for name, found in reports.items()]
    formats = []
    for name in held:
        base = reports[name]
        found = evaluate_pose(PoseEstimator(given.model, precision="bf16"), given.sets / name)
        near, most = apart(base, found, exact.config.height)
        ap = found.precision.stats["AP"]
        formats.append(
            {"set": name, "AP fp32": base.precision.stats["AP"], "AP bf16": ap, "within 0.5 px": near, "most px": most}
        )
    tables = {"In labelled boxes": by_label, "In the box about the ink": by_ink, "bf16 against float32": formats}
    show("poses", tables)


if __name__ == "__main__":
    main()
