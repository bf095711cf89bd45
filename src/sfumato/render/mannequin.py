"""The built-in figure: a clothed doll with hair, face and hands, made by arithmetic from a few named measures.

Its keypoints are known: bones for the joints, vertices for eyes, ears and the tip of the nose.
"""

from collections.abc import Sequence

from . import guesses
from .character import LIMBS, Character, Keypoint
from .doll import hands, legs, trunk
from .doll.features import Features
from .doll.frame import Frame, frame, skeleton
from .doll.hair import Hair
from .doll.head import Head
from .doll.look import Colors, Look
from .doll.surface import Piece, joined
from .doll.weighing import Weigher


def mannequin(look: Look) -> Character:
    """The figure of that look, of 5,000 to 10,000 triangles, in a rest pose with its arms half down."""
    f = frame(look)
    bones = skeleton(f)
    w = Weigher(f, bones)
    pieces = _pieces(f, w)
    whole = joined(pieces)
    limbs = {name: bones.names.index(name) for name in LIMBS}
    skirts = [k for k, piece in enumerate(pieces) if piece.part in {"skirt", "dress"}]  # the last one; above is a shirt
    return Character(
        name="mannequin",
        mesh=whole.mesh,
        skeleton=bones,
        weights=whole.weights,
        keypoints=guesses.keypoints(limbs, _face(Head(f), pieces, whole.starts)),
        limbs=limbs,
        drape=legs.drape(f, pieces[skirts[-1]], whole.starts[skirts[-1]], bones.names) if skirts else None,
    )


def _pieces(f: Frame, w: Weigher) -> list[Piece]:
    colors, head = Colors.of(f.look), Head(f)
    skin = head.skin(w, colors.skin)
    return [
        skin,
        *head.ears(w, colors.skin),
        *Features(head, skin, w, colors).all(),
        *Hair(head, w, colors.hair, f.look.colors).cut(f.look.hair),
        *hands.hands(f, w, colors.skin),
        *_clothes(f, w, colors),
    ]


def _clothes(f: Frame, w: Weigher, colors: Colors) -> list[Piece]:
    u, j, look = f.unit, f.joints, f.look
    sleeve = {"shirt": 0.515, "tee": 0.16, "sleeveless": 0.055}[look.top] * u
    hem = {
        "pants": 0.062 * u,
        "shorts": j["shin"][1] + 0.10 * u,
        "skirt": j["shin"][1] + 0.09 * u,
        "dress": j["shin"][1] - 0.02 * u,
    }
    loose = 0.011 * u
    dress = look.bottom == "dress"
    waist = trunk.sections(f)["belly"][0]
    low = waist + 0.01 * u if dress else j["hips"][1] - 0.03 * u if look.bottom != "skirt" else waist
    shirt = trunk.shirt(f, w, colors.top, sleeve=sleeve, hem=low, loose=loose)
    pieces = [
        shirt,
        *trunk.arms(f, w, colors.skin, max(sleeve - 0.07 * u, 0.0)),
        *legs.shoes(f, w, colors.shoes, colors.white),
    ]
    below = hem[look.bottom]
    if look.bottom in {"pants", "shorts"}:
        straight = 0.016 * u if look.bottom == "pants" else 0.012 * u
        pieces.append(legs.trousers(f, w, colors.bottom, hem=below, loose=0.009 * u, straight=straight))
    else:
        color = colors.top if dress else colors.bottom
        thing, part = ("top", "dress") if dress else ("bottom", "skirt")
        pieces.append(legs.skirt(f, w, color, hem=below, part=part, thing=thing))
    if dress:
        pieces[0] = _as_part(shirt, "dress")
    if look.bottom != "pants":
        top = below + 0.06 * u if look.bottom == "shorts" else j["thigh"][1] - 0.09 * u
        pieces += legs.bare_legs(f, w, colors.skin, top)
    return pieces


def _as_part(piece: Piece, part: str) -> Piece:
    return Piece(
        vertices=piece.vertices,
        quads=piece.quads,
        weights=piece.weights,
        part=part,
        color=piece.color,
        thing=piece.thing,
    )


def _face(head: Head, pieces: Sequence[Piece], starts: Sequence[int]) -> list[Keypoint]:
    """Nose, eyes and ears, each a vertex: the tip, the middle of the pupil, the hollow of the ear."""
    start = {piece.thing: first for piece, first in reversed(list(zip(pieces, starts)))}
    thing = {piece.thing: piece for piece in pieces}
    found = [start["head"] + head.tip(thing["head"])]
    found += [start[f"{side} pupil"] for side in ("left", "right")]
    found += [start[f"{side} ear"] + len(thing[f"{side} ear"].vertices) - 4 for side in ("left", "right")]
    return [Keypoint(vertices=(vertex,)) for vertex in found]
