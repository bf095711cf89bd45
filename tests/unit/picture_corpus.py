"""Picture files made on the spot: every format and mode, colour profiles, and every kind of damage."""

import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sfumato import image

Image.init()
HAS_AVIF = "AVIF" in Image.SAVE
"""Some builds of Pillow lack it."""

ORIENTATION, EXIF_IFD, GPS_IFD = 0x0112, 0x8769, 0x8825


def scene(height: int = 31, width: int = 45, depth: int = 8) -> NDArray:
    """A smooth picture without symmetry (H, W, 3): a gradient, a disc and a bar."""
    y, x = np.mgrid[:height, :width] / max(height, width)
    colors = np.stack([0.2 + 0.6 * x, 0.8 - 0.6 * y, 0.3 + 0.4 * x * y], -1)
    colors[(x - 0.3) ** 2 + (y - 0.25) ** 2 < 0.03] = (0.9, 0.2, 0.1)
    colors[(x > 0.7) & (y < 0.15)] = (0.1, 0.3, 0.8)
    return np.rint(colors * (2**depth - 1)).astype(f"u{depth // 8}")


def opacity(height: int = 31, width: int = 45, depth: int = 8) -> NDArray:
    """An alpha channel (H, W) with clear, half clear and opaque places."""
    y, x = np.mgrid[:height, :width]
    return np.rint(np.clip((x + y - 10) / 30, 0, 1) * (2**depth - 1)).astype(f"u{depth // 8}")


def with_alpha(array: NDArray) -> NDArray:
    """The same (H, W, 3) with `opacity` as a fourth channel."""
    return np.dstack([array, opacity(*array.shape[:2], 8 * array.itemsize)])


def in_mode(mode: str, height: int = 31, width: int = 45) -> Image.Image:
    """The scene as a Pillow image of any mode; those that have alpha are partly transparent."""
    rgb = Image.fromarray(scene(height, width))
    if mode in ("LA", "La", "PA", "RGBA", "RGBa"):
        clear = Image.fromarray(with_alpha(scene(height, width)))
        if mode == "PA":
            paletted = rgb.quantize(64)
            paletted.putalpha(clear.getchannel("A"))
            return paletted
        return clear.convert({"La": "LA"}.get(mode, mode)).convert(mode)
    if mode == "P":
        return rgb.quantize(64)
    if mode == "F":
        return Image.fromarray(scene(height, width)[..., 0].astype(np.float32) / 255)
    if mode in ("I", "I;16", "I;16B"):
        grey = scene(height, width, 16)[..., 1]
        if mode == "I;16B":
            return Image.frombytes(mode, (width, height), grey.astype(">u2").tobytes())
        return Image.fromarray(grey.astype(np.int32) if mode == "I" else grey)
    return rgb.convert(mode)


def encoded(picture: Image.Image, name: str, **settings: object) -> bytes:
    """A Pillow image as the bytes of a file."""
    buffer = io.BytesIO()
    picture.encoderconfig = ()  # what an earlier format left there
    picture.save(buffer, name, **settings)
    return buffer.getvalue()


def camera(orientation: int = 1, tags: dict[int, int] | None = None, order: str = "<") -> bytes:
    """EXIF with a maker, a place, an exposure, an orientation, and what else the camera says of its picture."""
    exif = Image.Exif()
    exif.endian = order
    exif[0x010F] = "Obscura"
    exif[ORIENTATION] = orientation
    exif[EXIF_IFD] = {0x829A: 0.01, 0x9003: "2024:05:06 07:08:09"} | (tags or {})
    exif[GPS_IFD] = {1: "N", 2: (48.0, 51.0, 30.0)}
    return exif.tobytes()


def files() -> dict[str, bytes]:
    """A small file of every kind that can be read, by name."""
    rgb, grey, clear = in_mode("RGB"), in_mode("L"), in_mode("RGBA")
    exif = camera()

    def moving(name: str) -> bytes:
        first = in_mode("RGB")
        return encoded(first, name, save_all=True, append_images=[first.transpose(Image.Transpose.ROTATE_180)])

    result = {
        "plain.jpg": encoded(rgb, "JPEG", exif=exif, icc_profile=profile()),
        "progressive.jpg": encoded(rgb, "JPEG", progressive=True),
        "grey.jpg": encoded(grey, "JPEG"),
        "cmyk.jpg": encoded(in_mode("CMYK"), "JPEG"),
        "phone.jpg": moving("MPO"),
        "plain.png": encoded(rgb, "PNG", exif=exif, icc_profile=profile()),
        "bits.png": encoded(in_mode("1"), "PNG"),
        "palette.png": encoded(in_mode("P"), "PNG", transparency=3),
        "clear.png": encoded(clear, "PNG"),
        "deep_grey.png": encoded(in_mode("I;16"), "PNG"),
        "deep.png": deep_file(".png", scene(depth=16)),
        "moving.png": moving("PNG"),
        "moving.gif": moving("GIF"),
        "lossy.webp": encoded(rgb, "WEBP", exif=exif),
        "lossless.webp": encoded(clear, "WEBP", lossless=True),
        "moving.webp": moving("WEBP"),
        "raw.tif": encoded(rgb, "TIFF", exif=exif, icc_profile=profile()),
        "lzw.tif": encoded(clear, "TIFF", compression="tiff_lzw"),
        "jpeg.tif": encoded(rgb, "TIFF", compression="jpeg"),
        "float.tif": encoded(in_mode("F"), "TIFF"),
        "pages.tif": moving("TIFF"),
        "deep.tif": deep_file(".tif", with_alpha(scene(depth=16))),
        "plain.bmp": encoded(rgb, "BMP"),
    }
    if HAS_AVIF:
        result["plain.avif"] = encoded(rgb, "AVIF", exif=exif)
    return result


def deep_file(extension: str, array: NDArray) -> bytes:
    """A 16-bit RGB(A) picture as OpenCV writes it."""
    import cv2

    order = [2, 1, 0, 3][: array.shape[2]]
    done, data = cv2.imencode(extension, np.ascontiguousarray(array[..., order]))
    assert done
    return bytes(data)


def png(array: NDArray, color_type: int, extra: bytes = b"") -> bytes:
    """A PNG of 8 or 16 bits written by hand; `extra` are chunks in front of the pixels."""
    height, width = array.shape[:2]
    rows = b"".join(b"\0" + row.astype(array.dtype.newbyteorder(">")).tobytes() for row in array)
    header = struct.pack(">2I5B", width, height, 8 * array.itemsize, color_type, 0, 0, 0)
    chunks = png_chunk(b"IHDR", header) + extra + png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def tiff(array: NDArray, photometric: int, *, order: str = "<", planar: bool = False, **tags: int) -> bytes:
    """An uncompressed TIFF written by hand of (H, W, C); `tags` are t338=2 and the like, SHORT values."""
    height, width, channels = array.shape
    planes = np.split(array, channels, axis=2) if planar else [array]
    strips = [plane.astype(array.dtype.newbyteorder(order)).tobytes() for plane in planes]
    offsets = [8 + sum(map(len, strips[:i])) for i in range(len(strips))]
    entries = {
        256: ("H", [width]),
        257: ("H", [height]),
        258: ("H", [8 * array.itemsize] * channels),
        259: ("H", [1]),
        262: ("H", [photometric]),
        273: ("I", offsets),
        277: ("H", [channels]),
        278: ("H", [height]),
        279: ("I", [len(strip) for strip in strips]),
        284: ("H", [2 if planar else 1]),
        **{int(tag[1:]): ("H", [value]) for tag, value in tags.items()},
    }
    if array.dtype.kind == "f":
        entries[339] = ("H", [3] * channels)
    start = 8 + sum(map(len, strips)) + sum(map(len, strips)) % 2
    place = start + 2 + 12 * len(entries) + 4
    directory, values = struct.pack(order + "H", len(entries)), b""
    for tag in sorted(entries):
        kind, numbers = entries[tag]
        data = struct.pack(f"{order}{len(numbers)}{kind}", *numbers)
        field = data.ljust(4, b"\0") if len(data) <= 4 else struct.pack(order + "I", place + len(values))
        values += data + bytes(len(data) % 2) if len(data) > 4 else b""
        directory += struct.pack(order + "HHI", tag, {"H": 3, "I": 4}[kind], len(numbers)) + field
    mark = {"<": b"II", ">": b"MM"}[order]
    head = mark + struct.pack(order + "HI", 42, start) + b"".join(strips)
    return head.ljust(start, b"\0") + directory + bytes(4) + values


ADOBE_RGB = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
DISPLAY_P3 = ((0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407))
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def profile(
    primaries: tuple[tuple[float, ...], ...] = ADOBE_RGB, gamma: float | tuple[float, ...] = 2.2, space: str = "RGB "
) -> bytes:
    """A colour profile of three primaries (XYZ, D50), or of grey, and one tone curve; five numbers are parametric."""

    def fixed(*values: float) -> bytes:
        return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))

    if isinstance(gamma, tuple):
        curve = b"para" + bytes(4) + struct.pack(">HH", 3, 0) + fixed(*gamma)
    else:
        curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    white = (0.9642, 1.0, 0.8249)
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(78),
        b"wtpt": b"XYZ " + bytes(4) + fixed(*white),
        b"cprt": b"text" + bytes(4) + b"none\0",
    }
    if space == "GRAY":
        tags[b"kTRC"] = curve
    else:
        for letter, primary in zip("rgb", primaries):
            tags[f"{letter}XYZ".encode()] = b"XYZ " + bytes(4) + fixed(*primary)
            tags[f"{letter}TRC".encode()] = curve
    start = 132 + 12 * len(tags)
    table, data = struct.pack(">I", len(tags)), b""
    for name, value in tags.items():
        table += struct.pack(">4sII", name, start + len(data), len(value))
        data += value + bytes(-len(value) % 4)
    head = struct.pack(">I4sI4s4s4s", start + len(data), b"none", 0x02400000, b"mntr", space.encode(), b"XYZ ")
    return (head + bytes(12) + b"acsp" + bytes(28) + fixed(*white)).ljust(128, b"\0") + table + data


def ink_profile() -> bytes:
    """A profile for CMYK made of tables: each ink takes away its complement, black takes away all."""
    steps = np.linspace(0, 1, 9)
    inks = np.stack(np.meshgrid(*[np.linspace(0, 1, 5)] * 4, indexing="ij"), -1).reshape(-1, 4)
    light = (1 - inks[:, :3]) * (1 - inks[:, 3:])
    to_xyz = np.array([[0.4361, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7142]])
    white = np.array([0.9642, 1.0, 0.8249])

    def lab(rgb: NDArray) -> NDArray:
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        xyz = linear @ to_xyz.T / white
        f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
        return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], -1)

    def rgb(values: NDArray) -> NDArray:
        y = (values[:, 0] + 16) / 116
        f = np.stack([y + values[:, 1] / 500, y, y - values[:, 2] / 200], -1)
        linear = np.where(f > 6 / 29, f**3, (f - 16 / 116) / 7.787) * white @ np.linalg.inv(to_xyz).T
        linear = linear.clip(0, 1)
        return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)

    def table(inputs: int, points: int, values: NDArray) -> bytes:
        outputs = values.shape[1]
        head = b"mft1" + bytes(4) + bytes([inputs, outputs, points, 0])
        unit = struct.pack(">9i", *np.eye(3, dtype=int).ravel() * 65536)
        return (
            head
            + unit
            + bytes(range(256)) * inputs
            + np.rint(values).astype("u1").tobytes()
            + bytes(range(256)) * outputs
        )

    coordinates = np.stack(np.meshgrid(steps * 100, steps * 255 - 128, steps * 255 - 128, indexing="ij"), -1)
    device_to_lab = table(4, 5, lab(light) * (2.55, 1, 1) + (0, 128, 128))
    lab_to_device = table(3, 9, 255 * np.pad(1 - rgb(coordinates.reshape(-1, 3)), ((0, 0), (0, 1))))
    start = 132 + 12 * 2
    tags = struct.pack(
        ">I4sII4sII",
        2,
        b"A2B0",
        start,
        len(device_to_lab),
        b"B2A0",
        start + len(device_to_lab) + -len(device_to_lab) % 4,
        len(lab_to_device),
    )
    data = device_to_lab + bytes(-len(device_to_lab) % 4) + lab_to_device
    head = struct.pack(">I4sI4s4s4s", start + len(data), b"none", 0x02400000, b"prtr", b"CMYK", b"Lab ")
    return (
        (head + bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)).ljust(128, b"\0")
        + tags
        + data
    )


def damaged(data: bytes, seed: int, cuts: int = 24, flips: int = 24) -> Iterator[tuple[str, bytes]]:
    """Variants of a file: cut off, with bits flipped, or with a stretch zeroed, doubled, noisy or missing."""
    rng = np.random.default_rng(seed)
    for place in sorted({*np.linspace(1, len(data) - 1, cuts, dtype=int).tolist(), 2, 4, 8, 12, 16, 20, 26, 33, 40}):
        yield f"cut at {place}", data[:place]
    for i in range(flips):
        changed = np.frombuffer(data, np.uint8).copy()
        reach = min(len(data), 400) if i % 2 else len(data)  # heads deserve as much attention as pixels
        places = rng.integers(0, reach, rng.integers(1, 5))
        changed[places] ^= (1 << rng.integers(0, 8, len(places))).astype(np.uint8)
        yield f"bits flipped at {places.tolist()}", changed.tobytes()
    for i in range(flips // 4):
        start = int(rng.integers(0, len(data)))
        stop = min(start + int(rng.integers(1, 64)), len(data))
        middle = (bytes(stop - start), data[start:stop] * 2, rng.bytes(stop - start), b"")[i % 4]
        yield f"bytes {start} to {stop} replaced", data[:start] + middle + data[stop:]


def bombs() -> dict[str, bytes]:
    """Small files whose headers promise gigantic pictures."""
    side = 60000
    jpeg = bytearray(encoded(in_mode("RGB"), "JPEG"))
    place = jpeg.index(b"\xff\xc0") + 5
    jpeg[place : place + 4] = struct.pack(">HH", side, side)
    small = np.zeros((1, 1, 3), np.uint8)
    bmp = bytearray(encoded(in_mode("RGB"), "BMP"))
    bmp[18:26] = struct.pack("<ii", side, side)
    head = struct.pack(">2I5B", side, side, 8, 2, 0, 0, 0)
    deep_head = struct.pack(">2I5B", side, side, 16, 2, 0, 0, 0)
    pixels = png_chunk(b"IDAT", zlib.compress(bytes(1 << 20))) + png_chunk(b"IEND", b"")
    webp = bytearray(encoded(in_mode("RGB"), "WEBP", lossless=True))
    place = webp.index(b"VP8L") + 9
    webp[place : place + 4] = struct.pack("<I", 0x0FFFFFFF)  # 14 bits each for width and height
    gif = bytearray(encoded(in_mode("P"), "GIF"))
    gif[6:10] = struct.pack("<HH", side, side)
    return {
        "bomb.png": b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", head) + pixels,
        "deep_bomb.png": b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", deep_head) + pixels,
        "bomb.jpg": bytes(jpeg),
        "bomb.bmp": bytes(bmp),
        "bomb.gif": bytes(gif),
        "bomb.tif": tiff(small, 2, t256=side, t257=side),
        "bomb.webp": bytes(webp),
    }


def same(first: image.Picture, second: image.Picture) -> bool:
    """Whether two pictures have the same pixels and alpha."""
    if first.alpha is None or second.alpha is None:
        return first.alpha is second.alpha and np.array_equal(first.pixels, second.pixels)
    return np.array_equal(first.pixels, second.pixels) and np.array_equal(first.alpha, second.alpha)
