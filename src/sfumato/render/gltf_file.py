"""glTF 2.0 files (.glb, .gltf) as arrays: nodes, meshes, skins, animations, pictures.

By the standard library and NumPy: pygltflib reads the JSON but no accessor and brings dataclasses-json; trimesh (4)
reads meshes but neither skins nor animations.

Khronos Group, glTF 2.0 specification (ISO/IEC 12113:2022).

Shapes: N values of an accessor, n numbers of a value.
"""

import base64
import binascii
import json
import struct
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from .character import Floats

_MAGIC, _JSON, _BINARY = 0x46546C67, 0x4E4F534A, 0x004E4942
_TYPES: dict[int, type[np.generic]] = {
    5120: np.int8,
    5121: np.uint8,
    5122: np.int16,
    5123: np.uint16,
    5125: np.uint32,
    5126: np.float32,
}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
_PACKED = {"KHR_draco_mesh_compression", "EXT_meshopt_compression"}


class GltfFile:
    """A file that is open for reading; what is wrong in it raises DataError.

    Args:
        path: of the file.
        origin: the file that it was made from, for messages.
    """

    def __init__(self, path: Path, origin: Path | None = None) -> None:
        self.path = origin or path
        try:
            data = path.read_bytes()
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {error.strerror}") from None
        self._binary = b""
        text = self._chunks(data) if data[:4] == b"glTF" or path.suffix.lower() == ".glb" else data
        try:
            self.json: dict[str, Any] = json.loads(text)
        except ValueError:
            raise DataError(f"{path}: is no glTF file, or a damaged one") from None
        if not isinstance(self.json, dict) or "asset" not in self.json:
            raise DataError(f"{path}: is no glTF file")
        if packed := _PACKED & set(self.json.get("extensionsRequired", ())):
            raise DataError(f"{path}: is packed with {', '.join(sorted(packed))}, which is not read; export it without")
        self._cache: dict[int, NDArray[Any]] = {}
        self._pictures: dict[int, NDArray[np.uint8] | None] = {}

    def _chunks(self, data: bytes) -> bytes:
        """The JSON chunk; the binary one is kept."""
        if len(data) < 20 or struct.unpack_from("<I", data)[0] != _MAGIC:
            raise DataError(f"{self.path}: is no GLB file, or a damaged one")
        _, version, length = struct.unpack_from("<III", data)
        if version != 2:
            raise DataError(f"{self.path}: is glTF version {version}; only version 2 is read")
        if length > len(data):
            raise DataError(f"{self.path}: is cut off: {len(data)} of {length} bytes are there; copy it again")
        text, place = b"", 12
        while place + 8 <= length:
            size, kind = struct.unpack_from("<II", data, place)
            chunk = data[place + 8 : place + 8 + size]
            if len(chunk) < size:
                raise DataError(f"{self.path}: is cut off inside a chunk; copy it again")
            if kind == _JSON:
                text = chunk
            elif kind == _BINARY and not self._binary:
                self._binary = chunk
            place += 8 + size
        return text

    def items(self, kind: str) -> list[dict[str, Any]]:
        """All of a kind, as `nodes`."""
        found: list[dict[str, Any]] = self.json.get(kind, [])
        return found

    def beside(self) -> list[Path]:
        """The files with its buffers and pictures, as far as they are there."""
        names = [thing.get("uri") or "data:" for kind in ("buffers", "images") for thing in self.items(kind)]
        paths = [self.path.parent / _unquoted(name) for name in names if not name.startswith("data:")]
        return [path for path in dict.fromkeys(paths) if path.is_file()]

    @cached_property
    def tree(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The parent of each node, -1 for roots, and all nodes, parents first."""
        nodes = self.items("nodes")
        parents = [-1] * len(nodes)
        for k, node in enumerate(nodes):
            for child in node.get("children", ()):
                parents[child] = k
        order = [k for k, parent in enumerate(parents) if parent < 0]
        for k in order:
            order += [child for child in nodes[k].get("children", ()) if parents[child] == k]
        if len(order) != len(nodes):
            raise DataError(f"{self.path}: its nodes form a ring; the file is damaged")
        return tuple(parents), tuple(order)

    @cached_property
    def _buffers(self) -> list[bytes]:
        return [self._bytes(buffer) for buffer in self.items("buffers")]

    def _bytes(self, thing: dict[str, Any]) -> bytes:
        """Of a buffer or a picture, wherever they are."""
        uri = thing.get("uri")
        if uri is None:
            return self._binary
        if uri.startswith("data:"):
            try:
                return base64.b64decode(uri.partition(",")[2], validate=True)
            except binascii.Error:
                raise DataError(f"{self.path}: holds damaged data") from None
        file = self.path.parent / _unquoted(uri)
        try:
            return file.read_bytes()
        except OSError:
            raise DataError(f"{self.path}: needs {file.name}, which is not beside it") from None

    def view(self, place: int) -> tuple[bytes, int]:
        """The bytes of a buffer's view and its stride (0: none)."""
        views = self.items("bufferViews")
        if place >= len(views) or views[place]["buffer"] >= len(self._buffers):
            raise DataError(f"{self.path}: names data that is not there")
        view = views[place]
        start, length = int(view.get("byteOffset", 0)), int(view["byteLength"])
        buffer = self._buffers[view["buffer"]]
        if start + length > len(buffer):
            raise DataError(f"{self.path}: is cut off: its data ends after {len(buffer)} bytes; copy it again")
        return buffer[start : start + length], int(view.get("byteStride", 0))

    def values(self, place: int) -> NDArray[Any]:
        """An accessor's values (N, n): whole numbers as they are, those marked as shares of 1 as float."""
        if place not in self._cache:
            accessors = self.items("accessors")
            if not 0 <= place < len(accessors):
                raise DataError(f"{self.path}: names data that is not there")
            self._cache[place] = self._accessor(accessors[place])
        return self._cache[place]

    def _accessor(self, accessor: dict[str, Any]) -> NDArray[Any]:
        kind, width, count = (
            _TYPES.get(accessor["componentType"]),
            _WIDTHS.get(accessor["type"]),
            int(accessor["count"]),
        )
        if kind is None or width is None:
            raise DataError(f"{self.path}: holds values of an unknown kind")
        if "bufferView" in accessor:
            out = self._array(accessor["bufferView"], int(accessor.get("byteOffset", 0)), kind, (count, width)).copy()
        else:
            out = np.zeros((count, width), kind)
        if sparse := accessor.get("sparse"):
            at, new = sparse["indices"], sparse["values"]
            places = self._array(
                at["bufferView"], int(at.get("byteOffset", 0)), _TYPES[at["componentType"]], (sparse["count"], 1)
            )
            out[places[:, 0]] = self._array(
                new["bufferView"], int(new.get("byteOffset", 0)), kind, (sparse["count"], width)
            )
        if accessor.get("normalized") and np.issubdtype(kind, np.integer):
            return np.maximum(out / np.iinfo(kind).max, -1.0)  # type: ignore[type-var]
        return out

    def _array(self, view: int, offset: int, kind: type[np.generic], shape: tuple[int, int]) -> NDArray[Any]:
        data, stride = self.view(view)
        size = np.dtype(kind).itemsize
        step = stride or size * shape[1]
        if shape[0] and offset + step * (shape[0] - 1) + size * shape[1] > len(data):
            raise DataError(f"{self.path}: an array runs over its data; the file is damaged")
        return np.ndarray(shape, np.dtype(kind).newbyteorder("<"), data, offset, (step, size))

    def picture(self, texture: int) -> NDArray[np.uint8] | None:
        """A texture's picture (H, W, 3) RGB; None where its kind is not read."""
        source = self.items("textures")[texture].get("source")
        if source is None:
            return None
        if source not in self._pictures:
            self._pictures[source] = self._decoded(self.items("images")[source])
        return self._pictures[source]

    def _decoded(self, thing: dict[str, Any]) -> NDArray[np.uint8] | None:
        data = self.view(thing["bufferView"])[0] if "bufferView" in thing else self._bytes(thing)
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
        return None if pixels is None else np.asarray(pixels[:, :, ::-1], np.uint8)

    def local(self, node: dict[str, Any]) -> Floats:
        """A node's own matrix (4, 4)."""
        if "matrix" in node:
            return np.array(node["matrix"], np.float64).reshape(4, 4).T
        return matrix(
            np.array(node.get("translation", (0, 0, 0)), np.float64),
            np.array(node.get("rotation", (0, 0, 0, 1)), np.float64),
            np.array(node.get("scale", (1, 1, 1)), np.float64),
        )


def matrix(translation: Floats, rotation: Floats, scale: Floats) -> Floats:
    """(..., 4, 4) that scales (..., 3), then turns by a quaternion (..., 4), x, y, z, w, then moves (..., 3)."""
    out = np.zeros((*translation.shape[:-1], 4, 4))
    out[..., :3, :3] = turned(rotation) * scale[..., None, :]
    out[..., :3, 3] = translation
    out[..., 3, 3] = 1
    return out


def turned(quaternion: Floats) -> Floats:
    """The rotation (..., 3, 3) of a quaternion (..., 4), x, y, z, w, of any length but 0."""
    size = np.linalg.norm(quaternion, axis=-1, keepdims=True)
    x, y, z, w = np.moveaxis(quaternion / np.maximum(size, 1e-12), -1, 0)
    rows = [
        *(1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
        *(2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
        *(2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
    ]
    return np.stack(rows, -1).reshape(*x.shape, 3, 3)


def _unquoted(uri: str) -> str:
    """A file's name with %20 and the like put back."""
    head, *rest = uri.encode().split(b"%")
    parts = [head]
    for part in rest:
        try:
            parts.append(bytes([int(part[:2], 16)]) + part[2:])
        except ValueError:
            parts.append(b"%" + part)
    return b"".join(parts).decode("utf-8", "replace")
