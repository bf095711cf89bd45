"""Posed figures before a camera, and the z-buffer of all of them.

Shapes: V vertices and F faces of all figures, H W pixels, h w samples: two to a pixel each way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from . import raster
from .camera import Camera
from .character import Floats, Mesh, Numbers
from .frame import Bytes, Figure, Singles
from .topology import Topology, topology
from .vectors import extent

T = TypeVar("T", bound=np.generic)
FINE = 2
"""Samples of the z-buffer to a pixel, each way."""
AROUND = 8
"""Pixels around what shows that are looked at too."""
MOST = 255
"""Figures of one picture."""


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A figure as the camera sees it, and where its faces, vertices and components begin among those of all figures."""

    figure: Figure
    number: int
    topology: Topology
    places: Floats
    """(V, 2), in samples."""
    depths: Floats
    """(V,)."""
    first_face: int
    first_vertex: int
    first_thing: int
    extent: float
    """The longest side of the box around it, in metres."""

    @property
    def mesh(self) -> Mesh:
        return self.figure.character.mesh


def placed(figures: Sequence[Figure], camera: Camera) -> list[Placed]:
    """The figures before the camera.

    Raises:
        DataError: there is no figure, or too many; a figure's vertices are not those of its mesh, or not finite.
    """
    if not 0 < len(figures) <= MOST:
        raise DataError(f"a picture of {len(figures)} figures cannot be drawn; give 1 to {MOST}")
    found: list[Placed] = []
    face = vertex = thing = 0
    for number, figure in enumerate(figures):
        _check(figure)
        mesh = figure.character.mesh
        places, depths = camera.project(figure.vertices)
        found.append(
            Placed(
                figure=figure,
                number=number,
                topology=topology(mesh),
                places=places * FINE,
                depths=depths,
                first_face=face,
                first_vertex=vertex,
                first_thing=thing,
                extent=extent(figure.vertices),
            )
        )
        face, vertex, thing = face + len(mesh.faces), vertex + len(mesh.vertices), thing + len(mesh.cards)
    return found


def _check(figure: Figure) -> None:
    name, wanted = figure.character.name, figure.character.mesh.vertices.shape
    if figure.vertices.shape != wanted or not len(figure.character.mesh.faces):
        raise DataError(
            f"figure {name!r} has vertices {figure.vertices.shape} for a mesh of {wanted} and "
            f"{len(figure.character.mesh.faces)} faces; skin that character's own mesh"
        )
    if not np.isfinite(figure.vertices).all():
        raise DataError(f"figure {name!r} has vertices that are not finite; check its weights and its motion")


class Buffers:
    """What shows at each sample and each pixel.

    Args:
        figures: before the camera.
        camera: that sees them.
        bend: cosine of the angle from which on a bend of the surface is an edge, not round.
    """

    def __init__(self, figures: Sequence[Placed], camera: Camera, bend: float) -> None:
        self._figures, self._camera, self._bend = figures, camera, bend
        shape = camera.size[1] * FINE, camera.size[0] * FINE
        self.nearest: Floats = np.zeros(shape)
        """(h, w), 1/z of what is nearest; 0 where nothing is."""
        self.ids: Numbers = np.full(shape, -1, np.int32)
        """(h, w), the face there, among those of all figures; -1 where nothing is."""
        for one in figures:
            raster.fill(one.places, one.depths, one.mesh.faces, one.first_face, self.nearest, self.ids)
        self.pixels, self.samples = raster.picked(self.nearest)
        """Pixels in which anything is, and the sample that stands for each, (N,) both, counted along the rows."""
        self.things = self._of_faces([f.mesh.components + f.first_thing for f in figures], -1)
        """(F + 1,), the component of each face, among those of all figures; last of none, -1."""

    @staticmethod
    def _of_faces(values: Sequence[NDArray[Any]], nothing: int) -> Numbers:
        """A table by face of all figures; its last entry, which is that of face -1, is `nothing`."""
        return np.concatenate([*values, [nothing]]).astype(np.int32)

    @cached_property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the picture in which anything is, and a little around; empty if nothing is."""
        if not len(self.pixels):
            return slice(0, 0), slice(0, 0)
        rows, columns = np.divmod(self.pixels, self._camera.size[0])
        high, wide = (slice(max(int(s.min()) - AROUND, 0), int(s.max()) + 1 + AROUND) for s in (rows, columns))
        return high, wide

    @property
    def fine(self) -> tuple[slice, slice]:
        """The window's rows and columns of samples."""
        rows, columns = (slice(FINE * side.start, FINE * side.stop) for side in self.window)
        return rows, columns

    @cached_property
    def shown(self) -> Numbers:
        """(H, W), the component at each pixel, among those of all figures; -1 where nothing is."""
        return self._shown(self.things)

    @property
    def depth(self) -> Singles:
        """(H, W), as Frame has it; so are the next three."""
        return self._spread((1 / self.nearest.ravel()[self.samples]).astype(np.float32), np.inf)

    @cached_property
    def parts(self) -> Bytes:
        return self._shown(self._of_faces([f.mesh.parts for f in self._figures], 0).astype(np.uint8))

    @cached_property
    def figures(self) -> Bytes:
        numbers = [np.full(len(f.mesh.faces), f.number + 1) for f in self._figures]
        return self._shown(self._of_faces(numbers, 0).astype(np.uint8))

    @cached_property
    def components(self) -> Numbers:
        return self._shown(self._of_faces([f.mesh.components for f in self._figures], -1))

    @cached_property
    def _faces(self) -> Numbers:
        """(N,), the faces at the pixels in which anything is."""
        return np.asarray(self.ids.ravel()[self.samples])

    def _shown(self, table: NDArray[Any]) -> NDArray[Any]:
        """What a table (F + 1,) has of the face at each pixel (H, W)."""
        return self._spread(table[self._faces], table[-1])

    def _spread(self, values: NDArray[Any], nothing: Any) -> NDArray[Any]:
        """Values (N, ...) of the pixels in which anything is as a picture (H, W, ...)."""
        width, height = self._camera.size
        found = np.full((height * width, *values.shape[1:]), nothing, values.dtype)
        found[self.pixels] = values
        return found.reshape(height, width, *values.shape[1:])

    def colors(self, ids: Numbers) -> Singles:
        """Colours of faces (..., 3), in [0, 1], by their numbers (...); black where nothing is."""
        table = np.concatenate([*(f.mesh.colors for f in self._figures), np.zeros((1, 3))]).astype(np.float32)
        return np.asarray(table[ids])

    @cached_property
    def shown_normals(self) -> Singles:
        """(H, W, 3), as Frame has them."""
        return self._spread(self.normals(self.samples), 0)

    def normals(self, samples: NDArray[np.int64]) -> Singles:
        """Normals in the camera's axes, (..., 3), at places (...) of the samples, counted along the rows.

        They are known in the window alone.
        """
        faces, places, depths, corners = self._geometry
        width, height = self._camera.size
        ray = np.array([width * FINE / 2, height * FINE / 2, self._camera.focal_px * FINE])
        found = raster.surface(samples.ravel(), self.ids, faces, places, depths, corners, ray)
        return found.reshape(*samples.shape, 3)

    @cached_property
    def _geometry(self) -> tuple[Numbers, Floats, Floats, Floats]:
        """Of all figures: faces (F, 3), places (V, 2), depths (V,), normals at the corners (F, 3, 3)."""
        corners = []
        shown = raster.shown(self.ids[self.fine], len(self.things) - 1)
        for one in self._figures:
            mesh = one.topology
            nodes = (one.figure.vertices[mesh.nodes] - self._camera.position) @ self._camera.rotation.T
            wanted = shown[one.first_face : one.first_face + len(mesh.corners)]
            corners.append(raster.corner_normals(nodes, mesh.corners, mesh.around, mesh.starts, self._bend, wanted))
        return (
            _joined([f.mesh.faces + np.int32(f.first_vertex) for f in self._figures]),
            _joined([f.places for f in self._figures]),
            _joined([f.depths for f in self._figures]),
            _joined(corners),
        )


def _joined(arrays: list[NDArray[T]]) -> NDArray[T]:
    """One array after the other; of one no copy is made."""
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
