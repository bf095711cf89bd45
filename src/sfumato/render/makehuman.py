"""Characters from MakeHuman's CC0 body in a folder that a user names: shaped, dressed, with hair, ready to move.

A body is the base mesh plus shape targets, each with a weight that is a product of how young, male, strong ... it is.
All 17 keypoints are known: bones for the joints, vertices of the mesh for the face.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.keypoints import KEYPOINTS
from ..errors import OptionError
from . import guesses
from .bones import bone_map
from .character import PARTS, Character, Floats, Keypoint, Mesh, Numbers, Skeleton
from .doll.look import GENDERS, Color, Colors, Look
from .makehuman_files import METRES, Base, Faces, Garment, read_base, read_garment, read_target
from .welding import tidy

_FACE = {
    "nose": (297, 7063),
    "left_eye": (14634, 14661),
    "right_eye": (14706, 14733),
    "left_ear": (12106, 12195),
    "right_ear": (5507, 5598),
}
"""Vertices of the base mesh."""
_EYES = ("helper-l-eye", "helper-r-eye")
_RACES = ("african", "asian", "caucasian")
_DETAILS = ("head", "nose", "neck", "torso", "hip", "stomach", "armslegs", "buttocks")
"""Folders of targets that only vary a body a little."""


@dataclass(frozen=True, kw_only=True)
class Body:
    """A body's shape and what it wears."""

    age: float = 25.0
    """In years, 10 to 90."""
    gender: float = 0.5
    """0 woman to 1 man; a word will do."""
    weight: float = 0.5
    """0 thin to 1 heavy."""
    muscle: float = 0.5
    """0 slight to 1 strong."""
    height: float = 0.5
    """0 short to 1 tall."""
    hair: str = ""
    """Name of a .mhclo file; `none`: bald; empty: what the seed draws."""
    clothes: str = ""
    """Likewise."""
    shoes: str = ""
    """Likewise."""
    races: tuple[float, float, float] = (1 / 3, 1 / 3, 1 / 3)
    """Shares of the three faces that the targets know."""
    details: Mapping[str, float] = field(default_factory=dict)
    """Further targets by name, with their weights."""
    colors: int = 0
    """Seed of the colours."""


def read_makehuman(folder: Path, seed: int, wishes: Mapping[str, str] | None = None) -> Character:
    """A character of the body in `folder`: what is not wished for by name is drawn from the seed.

    Raises:
        DataError: a file is not there or damaged.
        OptionError: a wish names nothing that there is.
    """
    base = read_base(folder.resolve())
    body = drawn(base, seed, wishes or {})
    shaped = _shaped(base, body)
    worn = [read_garment(base.garments[name]) for name in _outfit(base, body)]
    return _character(folder.name, base, body, shaped, worn)


def drawn(base: Base, seed: int, wishes: Mapping[str, str]) -> Body:
    """The body that a seed draws, with the wishes."""
    rng = np.random.default_rng((seed, 11))
    gender = float(rng.choice((rng.uniform(0, 0.15), rng.uniform(0.85, 1))))
    ups = sorted(name for name in base.targets if name.split("/")[0] in _DETAILS and name.endswith("-incr"))
    ups = [
        name
        for name in ups
        if name.split("/")[-1][:2] not in {"l-", "r-"} and name.replace("-incr", "-decr") in base.targets
    ]
    details = {}
    for name, value in zip(ups, rng.normal(0, 0.22, len(ups))):
        details[name if value > 0 else name.replace("-incr", "-decr")] = float(min(abs(value), 0.7))
    body = Body(
        age=float(rng.choice((rng.uniform(10, 18), rng.uniform(18, 40), rng.uniform(40, 80)), p=(0.15, 0.55, 0.3))),
        gender=gender,
        weight=float(np.clip(rng.normal(0.48, 0.18), 0, 1)),
        muscle=float(np.clip(rng.normal(0.5, 0.18), 0, 1)),
        height=float(np.clip(rng.normal(0.5, 0.15), 0, 1)),
        races=tuple(float(share) for share in rng.dirichlet((1, 1, 1))),  # type: ignore[arg-type]
        details=details,
        colors=int(rng.integers(2**31)),
    )
    wished: dict[str, Any] = {name: _wish(name, text) for name, text in wishes.items()}
    body = replace(body, **wished)
    suits = _of(base, "clothes", "shoes", "fedora")
    own = [name for name in suits if name.startswith("male" if body.gender > 0.5 else "female")] or suits
    choices = {
        "hair": _of(base, "hair"),
        "clothes": own,
        "shoes": [name for name in _of(base, "clothes") if "shoes" in name],
    }
    picks = {kind: str(rng.choice(names)) if names else "none" for kind, names in choices.items()}
    chosen: dict[str, Any] = {kind: getattr(body, kind) or pick for kind, pick in picks.items()}
    return replace(body, **chosen)


def _of(base: Base, kind: str, *without: str) -> list[str]:
    """Garments of a folder, but for those with a word in their name."""
    return [
        name
        for name, file in base.garments.items()
        if file.parent.parent.name == kind and not any(w in name for w in without)
    ]


def _wish(name: str, text: str) -> str | float:
    known = [one.name for one in fields(Body) if one.name not in {"races", "details", "colors"}]
    if name not in known:
        raise OptionError(f"MakeHuman: there is no {name!r}; what can be chosen: {', '.join(known)}")
    if name in {"hair", "clothes", "shoes"}:
        return text
    if name == "gender" and text in GENDERS:
        return GENDERS[text]
    low, high = (10.0, 90.0) if name == "age" else (0.0, 1.0)
    try:
        value = float(text)
    except ValueError:
        raise OptionError(f"MakeHuman: {name}={text!r} is not a number") from None
    if not low <= value <= high:
        raise OptionError(f"MakeHuman: {name}={text} is not between {low:g} and {high:g}")
    return value


def _outfit(base: Base, body: Body) -> list[str]:
    """Names of what is worn, brows and lashes too."""
    wanted = [body.clothes, body.shoes, body.hair]
    for name in wanted:
        if name != "none" and name not in base.garments:
            raise OptionError(
                f"{base.folder}: there is no {name!r}; there are {', '.join(base.garments) or 'no clothes'}"
            )
    brows = _of(base, "eyebrows")
    extra = [brows[body.colors % len(brows)]] if brows else []
    return [name for name in (*wanted, *extra, *_of(base, "eyelashes")[:1]) if name != "none"]


def macro_targets(body: Body) -> dict[str, float]:
    """Weights of the targets that make a body's age, sex, build and height, by name."""
    age = float(np.clip((body.age - 10) / 15, 0, 1)), float(np.clip((body.age - 25) / 65, 0, 1))
    ages = {"child": 1 - age[0], "young": age[0] * (1 - age[1]), "old": age[1]}
    sexes = {"female": 1 - body.gender, "male": body.gender}
    muscles, weights = _thirds(body.muscle, "muscle"), _thirds(body.weight, "weight")
    found: dict[str, float] = {}
    for (sex, a), (time, b) in product(sexes.items(), ages.items()):
        for race, share in zip(_RACES, body.races):
            found[f"macrodetails/{race}-{sex}-{time}"] = a * b * share
        for (muscle, c), (weight, d) in product(muscles.items(), weights.items()):
            found[f"macrodetails/universal-{sex}-{time}-{muscle}-{weight}"] = a * b * c * d
        for height, e in _thirds(body.height, "height").items():
            found[f"macrodetails/height/{sex}-{time}-averagemuscle-averageweight-{height}"] = a * b * e
    return {name: value for name, value in found.items() if value > 1e-6}


def _thirds(value: float, name: str) -> dict[str, float]:
    """How much of the least, of the mean and of the most."""
    return {
        f"min{name}": max(1 - 2 * value, 0.0),
        f"average{name}": 1 - abs(2 * value - 1),
        f"max{name}": max(2 * value - 1, 0.0),
    }


def _shaped(base: Base, body: Body) -> Floats:
    """Vertices (V, 3) in metres, the soles on the ground; where a build has no target of its own, the mean one's."""
    vertices = base.obj.vertices.copy()
    for name, share in (*macro_targets(body).items(), *body.details.items()):
        file = base.targets.get(name) or base.targets.get(_average(name))
        if file is not None:
            places, moves = read_target(file)
            vertices[places] += share * moves
    body_faces = base.obj.quads[base.obj.group == base.obj.groups.index("body")]
    vertices[:, 1] -= vertices[np.unique(body_faces), 1].min()
    return vertices * METRES


def _average(name: str) -> str:
    """The target of the same build without its muscles."""
    return name.replace("minmuscle", "averagemuscle").replace("maxmuscle", "averagemuscle")


@dataclass(frozen=True, kw_only=True)
class _Layer:
    """Faces that become one component."""

    vertices: Floats
    quads: Faces
    weights: Floats
    """(V, J)."""
    parts: NDArray[np.uint8]
    """(Q,)."""
    color: Color
    below: Color | None = None
    """Of trousers and skirts, where they are one thing with what is above."""
    card: bool = False
    kept: tuple[int, ...] = ()
    """Vertices that stay though no face has them."""


def _character(name: str, base: Base, body: Body, shaped: Floats, worn: Sequence[Garment]) -> Character:
    limbs = bone_map(base.names).limbs
    heads, tails = (
        np.stack([shaped[list(places)].mean(0) for places in joints]) for joints in (base.heads, base.tails)
    )
    colors = Colors.of(Look(colors=body.colors, age=min(max(body.age, 2), 90)))
    of_bone = guesses.limb_of(base.parents, limbs)
    layers = [*_body(base, shaped, worn, of_bone, colors), *(_garment(g, base, shaped, of_bone, colors) for g in worn)]
    starts, places, parts = [], [], []
    count = 0
    for layer in layers:
        used = np.unique(np.concatenate((layer.quads.reshape(-1), np.array(layer.kept, np.int64))))
        starts.append(count)
        places.append(used)
        parts.append(np.searchsorted(used, layer.quads) + count)
        count += len(used)
    quads = np.concatenate(parts)
    weights = np.concatenate([layer.weights[used] for layer, used in zip(layers, places)])
    top = np.argsort(-weights, axis=1, kind="stable")[:, :8]
    mesh = _mesh(quads, layers, np.concatenate([layer.vertices[used] for layer, used in zip(layers, places)]))
    where: dict[int, int] = {}
    for start, used in zip(starts[:3], places[:3]):
        where |= {int(vertex): start + k for k, vertex in reversed(list(enumerate(used)))} | where
    face = [Keypoint(vertices=tuple(where[vertex] for vertex in _FACE[point])) for point in KEYPOINTS[:5]]
    return Character(
        name=name,
        mesh=mesh,
        skeleton=Skeleton(names=base.names, parents=base.parents, heads=heads, tails=tails),
        weights=tidy(top.astype(np.int32), np.take_along_axis(weights, top, 1)),
        keypoints=guesses.keypoints(limbs, face),
        limbs=limbs,
    )


def _mesh(quads: Faces, layers: Sequence[_Layer], vertices: Floats) -> Mesh:
    """Triangles of all layers; a quad's diagonal is never drawn."""
    sizes = [len(layer.quads) for layer in layers]
    parts = np.concatenate([layer.parts for layer in layers])
    component = np.repeat(np.arange(len(layers)), sizes)
    color = np.repeat(np.array([layer.color for layer in layers], np.float32), sizes, 0)
    other = np.repeat(np.array([layer.below or layer.color for layer in layers], np.float32), sizes, 0)
    low = np.isin(parts, (PARTS.index("pants"), PARTS.index("skirt")))
    color = np.where(low[:, None], other, color)
    second = quads[:, 2] != quads[:, 3]
    order = np.argsort(np.concatenate((np.arange(len(quads)), np.flatnonzero(second))), kind="stable")

    def both(values: NDArray[np.generic]) -> NDArray[np.generic]:
        return np.concatenate((values, values[second]))[order]

    faces = np.concatenate((quads[:, [0, 1, 2]], quads[second][:, [0, 2, 3]]))[order]
    return Mesh(
        vertices=vertices,
        faces=faces.astype(np.int32),
        parts=np.asarray(both(parts), np.uint8),
        components=np.asarray(both(component), np.int32),
        colors=np.asarray(both(color), np.float32),
        smooth_edges=np.sort(quads[second][:, [0, 2]], 1).astype(np.int32),
        cards=np.array([layer.card for layer in layers]),
    )


def _body(base: Base, shaped: Floats, worn: Sequence[Garment], limbs: Sequence[str], colors: Colors) -> list[_Layer]:
    """Skin that is not hidden, then both eyes, then their irises."""
    hidden = np.zeros(len(shaped), bool)
    for garment in worn:
        hidden[garment.hidden] = True
    obj = base.obj
    quads = obj.quads[obj.group == obj.groups.index("body")]
    quads = quads[~hidden[quads].all(1)]
    face = tuple(vertex for point in ("nose", "left_ear", "right_ear") for vertex in _FACE[point])
    layers = [
        _Layer(
            vertices=shaped,
            quads=quads,
            weights=base.weights,
            parts=_parts(quads, base.weights, limbs, ()),
            color=colors.skin,
            kept=face,
        )
    ]
    whites: list[_Layer] = []
    irises: list[_Layer] = []
    for group, point in zip(_EYES, ("left_eye", "right_eye")):
        eye = obj.quads[obj.group == obj.groups.index(group)]
        centre = shaped[np.unique(eye)].mean(0)
        away = shaped[eye].mean(1) - centre
        ahead = away[:, 2] / np.linalg.norm(away, axis=1) > np.cos(np.radians(28))
        for found, chosen, color, kept in (
            (whites, ~ahead, colors.white, _FACE[point]),
            (irises, ahead, colors.eyes, ()),
        ):
            part = np.full(int(chosen.sum()), PARTS.index("face"), np.uint8)
            found.append(
                _Layer(vertices=shaped, quads=eye[chosen], weights=base.weights, parts=part, color=color, kept=kept)
            )
    return [*layers, *whites, *irises]


def _garment(garment: Garment, base: Base, shaped: Floats, limbs: Sequence[str], colors: Colors) -> _Layer:
    weights = np.maximum(np.einsum("mk,mkj->mj", garment.shares, base.weights[garment.at]), 0)
    weights /= np.maximum(weights.sum(1, keepdims=True), 1e-12)
    quads = garment.obj.quads
    vertices = garment.fitted(shaped)
    if garment.kind == "clothes":
        hints = (garment.name, garment.tags)
        color = colors.shoes if "shoes" in garment.name else colors.top
        parts = _parts(quads, weights, limbs, hints)
        return _Layer(vertices=vertices, quads=quads, weights=weights, parts=parts, color=color, below=colors.bottom)
    part = "hair" if garment.kind == "hair" else "face"
    color = colors.hair if garment.kind != "eyelashes" else colors.dark
    parts = np.full(len(quads), PARTS.index(part), np.uint8)
    return _Layer(vertices=vertices, quads=quads, weights=weights, parts=parts, color=color, card=True)


def _parts(quads: Faces, weights: Floats, limbs: Sequence[str], hints: Sequence[str]) -> NDArray[np.uint8]:
    """The class (Q,) of each face; with hints (names of a garment) that of cloth on this place of the body."""
    main = weights.argmax(1).astype(np.int32)
    name = next((part for hint in hints if (part := guesses.part_by_name(hint))), None)
    if not hints or name in {"hat", "left-shoe"}:
        return guesses.parts(_thirds_of(quads), main, limbs, [name] * len(quads))
    legs = np.array([limb == "hips" or limb.split("_")[-1] in {"thigh", "shin", "foot", "toe"} for limb in limbs])
    below = legs[main[quads]].mean(1) >= 0.5
    low = "skirt" if any("skirt" in hint for hint in hints) else "pants"
    return np.where(below, PARTS.index(low), PARTS.index("upper-clothes")).astype(np.uint8)


def _thirds_of(quads: Faces) -> Numbers:
    """Three corners of each quad."""
    return quads[:, :3].astype(np.int32)
