"""How much each bone moves each vertex of the built-in figure: by where on the body it lies."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from ..character import Floats, Numbers, Skeleton
from .curves import step
from .frame import Frame


class Weigher:
    """Weights (V, J) from shares of named bones."""

    def __init__(self, f: Frame, skeleton: Skeleton) -> None:
        self.frame, self.names = f, skeleton.names

    @property
    def swap(self) -> Numbers:
        """(J,), the same bone of the other side."""
        other = {"left": "right", "right": "left"}
        names = [
            name.replace(side, other[side]) if (side := name.split("_")[0]) in other else name for name in self.names
        ]
        return np.array([self.names.index(name) for name in names], np.int32)

    def rows(self, shares: Mapping[str, ArrayLike]) -> Floats:
        """(V, J) from numbers or (V,) by bone; rows are made to sum to 1."""
        count = max(np.size(share) for share in shares.values())
        out = np.zeros((count, len(self.names)))
        for name, share in shares.items():
            out[:, self.names.index(name)] += np.asarray(share, np.float64)
        return np.asarray(out / out.sum(1, keepdims=True))

    def only(self, name: str, count: int) -> Floats:
        """(count, J), all of it that bone's."""
        return self.rows({name: np.ones(count)})

    def trunk(self, vertices: Floats) -> Floats:
        """Of the trunk, by height (V, 3 -> V, J)."""
        j, y = self.frame.joints, vertices[:, 1]
        knots = [
            j["hips"][1] + 0.02 * self.frame.unit,
            j["spine"][1] + 0.05 * self.frame.unit,
            j["chest"][1] + 0.05 * self.frame.unit,
        ]
        a = step(y, knots[0] - 0.04 * self.frame.unit, knots[1])
        b = step(y, knots[1] - 0.02 * self.frame.unit, knots[2])
        c = step(y, j["neck"][1] - 0.02 * self.frame.unit, j["neck"][1] + 0.05 * self.frame.unit)
        return self.rows({"hips": 1 - a, "spine": a * (1 - b), "chest": a * b * (1 - c), "neck": a * b * c})

    def neck(self, vertices: Floats) -> Floats:
        """Of the head and what it stands on, by height."""
        j, u, y = self.frame.joints, self.frame.unit, vertices[:, 1]
        low = step(y, j["neck"][1] - 0.035 * u, j["neck"][1] + 0.03 * u)
        high = step(y, j["head"][1] - 0.07 * u, j["head"][1] + 0.01 * u)
        return self.rows({"chest": 1 - low, "neck": low * (1 - high), "head": low * high})

    def arm(self, vertices: Floats) -> Floats:
        """Of the left arm, by how far along it a vertex lies."""
        f, u = self.frame, self.frame.unit
        along = (vertices - f.joints["upper_arm"]) @ f.arm
        elbow, wrist = 0.283 * u, 0.528 * u
        shoulder = step(along, -0.05 * u, 0.055 * u)
        a = step(along, elbow - 0.045 * u, elbow + 0.045 * u)
        b = step(along, wrist - 0.025 * u, wrist + 0.02 * u)
        return self.rows(
            {
                "left_shoulder": 0.7 * (1 - shoulder),
                "chest": 0.3 * (1 - shoulder),
                "left_upper_arm": shoulder * (1 - a),
                "left_forearm": a * (1 - b),
                "left_hand": b,
            }
        )

    def leg(self, vertices: Floats) -> Floats:
        """Of the left leg, by height."""
        j, u, y = self.frame.joints, self.frame.unit, vertices[:, 1]
        hips = step(y, j["thigh"][1] - 0.075 * u, j["thigh"][1] + 0.075 * u)
        knee = 1 - step(y, j["shin"][1] - 0.055 * u, j["shin"][1] + 0.055 * u)
        ankle = 1 - step(y, j["foot"][1] - 0.02 * u, j["foot"][1] + 0.035 * u)
        thigh = (1 - hips) * (1 - knee)
        return self.rows(
            {
                "hips": hips,
                "left_thigh": thigh,
                "left_shin": knee * (1 - ankle),
                "left_foot": knee * ankle,
            }
        )

    def skirt(self, vertices: Floats) -> Floats:
        """Of cloth around both legs: below the hips it follows the thigh on its side."""
        j, u = self.frame.joints, self.frame.unit
        hips = step(vertices[:, 1], j["thigh"][1] - 0.09 * u, j["thigh"][1] + 0.06 * u)
        left = step(vertices[:, 0], -0.10 * u, 0.10 * u)
        return self.rows({"hips": hips, "left_thigh": (1 - hips) * left, "right_thigh": (1 - hips) * (1 - left)})
