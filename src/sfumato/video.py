"""Films: each frame through a model, time stamps and sound as they are.

Frames are streamed, so that memory does not grow with the length. Smoothing mixes each result with the one before it,
moved along by the optical flow of the film itself, where the film shows the same: textures that a model draws anew in
every frame stop to flicker. Where a scene ends nothing is the same, and nothing is mixed.

Shapes: H W pixels, uint8 RGB.
"""

import importlib.util
import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import Cancelled, DiskError, OptionError, PictureError
from .progress import Report

if TYPE_CHECKING:
    import av

ENDINGS = frozenset([".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi"])
WRITTEN = {".mp4": "libx264", ".m4v": "libx264", ".mov": "libx264", ".mkv": "libx264"}
"""Formats of results, and how their frames are encoded."""
QUALITY = {"crf": "18", "preset": "medium"}
SAME = 12.0
"""Difference of a film from itself, of 255, moved along its flow, above which a place no longer shows the same."""

Pixels = NDArray[np.uint8]
log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Made:
    """What was written.

    Attributes:
        frames: so many.
        sound: audio streams that were copied.
        problem: why the film ends early, or what was left out; empty if nothing.
    """

    frames: int
    sound: int
    problem: str


def translate(
    source: Path,
    target: Path,
    draw: Callable[[Pixels], Pixels],
    *,
    progress: Report | None = None,
    ended: Callable[[], object] | None = None,
) -> Made:
    """Writes the film with every frame drawn anew; whole, or not at all.

    Sides become even, as H.264 wants them: a last odd row or column is left out.

    Args:
        draw: the next frame (H, W, 3) to its result, of any one size.
        progress: called with the frames done and their number, as far as the file tells it; returning False stops.
        ended: called after the last frame; where it raises, nothing is left.

    Raises:
        OptionError: PyAV is missing, or the format cannot be written.
        PictureError: the file is no film.
        DiskError: the disk is full or not writable.
        Cancelled: `progress` stopped it, or Ctrl-C; nothing is left.
    """
    check(target)
    import av

    with _beside(target) as temporary, ExitStack() as stack:
        try:
            film = stack.enter_context(av.open(str(source)))
            frames = film.streams.video[0]
        except (av.error.FFmpegError, IndexError) as error:
            raise PictureError(f"{source}: is no film that can be read ({error or 'it has no pictures'})") from error
        result = stack.enter_context(_writable(temporary, target))
        work = _Work(film, frames, result, codec=WRITTEN[target.suffix.lower()])
        try:
            for number, frame in enumerate(work.frames(), 1):
                work.write(draw(upright(frame)), frame)
                if progress and progress(number, frames.frames or 0) is False:
                    raise KeyboardInterrupt
            made = work.finished(source)
            if ended is not None:
                ended()
            return made
        except KeyboardInterrupt:
            raise Cancelled(f"{target}: stopped after {work.count:,} frames; nothing is kept of it") from None


def check(target: Path) -> None:
    """Checks that films can be written there.

    Raises:
        OptionError: PyAV is missing, or the format is of another kind.
    """
    if importlib.util.find_spec("av") is None:
        raise OptionError("films need PyAV: pip install 'sfumato[video]'")
    if target.suffix.lower() not in WRITTEN:
        raise OptionError(f"-o {target}: a film's result ends in {', '.join(WRITTEN)}")


class _Work:
    """The way from one film to another."""

    def __init__(self, film: Any, source: Any, result: Any, *, codec: str) -> None:
        self.film, self.source, self.result, self.codec = film, source, result, codec
        source.thread_type = "AUTO"
        self.target: Any = None
        self.count, self.problem = 0, ""
        self.waiting: list[Any] = []  # packets of sound, until the first frame tells the size
        self.sound: dict[int, Any] = {}
        for stream in film.streams.audio:
            try:
                self.sound[stream.index] = result.add_stream_from_template(stream)
            except ValueError:  # what PyAV raises where a format cannot hold it
                self.problem = f"the sound ({stream.codec_context.name}) does not fit into this format and is left out"

    def frames(self) -> Iterator[Any]:
        """The frames that can be decoded; sound is written on the way."""
        import av

        wanted = [self.source, *(stream for stream in self.film.streams.audio if stream.index in self.sound)]
        try:
            for packet in self.film.demux(wanted):
                if packet.stream.type == "video":
                    yield from packet.decode()
                elif packet.dts is not None:
                    self._mux(packet)
        except av.error.FFmpegError as error:
            self.problem = f"it is broken after {self.count:,} frames ({error})"

    def write(self, pixels: Pixels, frame: Any) -> None:
        """Encodes one result at the time of its frame."""
        import av

        if self.target is None:
            self._begin(pixels)
        made = av.VideoFrame.from_ndarray(
            np.ascontiguousarray(pixels[: self.target.height, : self.target.width]), format="rgb24"
        )
        made.pts, made.time_base = frame.pts, frame.time_base
        for packet in self.target.encode(made):
            self.result.mux(packet)
        self.count += 1

    def finished(self, source: Path) -> Made:
        """Writes what is left.

        Raises:
            PictureError: there was no frame.
        """
        if self.target is None:
            raise PictureError(f"{source}: has no frame that can be read{f', {self.problem}' if self.problem else ''}")
        for packet in self.target.encode():
            self.result.mux(packet)
        return Made(frames=self.count, sound=len(self.sound), problem=self.problem)

    def _begin(self, pixels: Pixels) -> None:
        self.target = self.result.add_stream(self.codec, rate=self.source.average_rate or 25)
        self.target.height, self.target.width = (max(2, n // 2 * 2) for n in pixels.shape[:2])
        self.target.pix_fmt, self.target.options = "yuv420p", QUALITY
        self.target.codec_context.time_base = self.source.time_base
        for packet in self.waiting:
            self.result.mux(packet)
        self.waiting.clear()

    def _mux(self, packet: Any) -> None:
        packet.stream = self.sound[packet.stream.index]
        if self.target is None:
            self.waiting.append(packet)
        else:
            self.result.mux(packet)


def upright(frame: Any) -> Pixels:
    """The pixels of a frame, turned as its file says."""
    pixels: Pixels = frame.to_ndarray(format="rgb24")
    return np.rot90(pixels, round(getattr(frame, "rotation", 0) / 90) % 4)


def smoothed(draw: Callable[[Pixels], Pixels], amount: float) -> Callable[[Pixels], Pixels]:
    """A function of the next frame of one film: what `draw` makes of it, without flicker.

    Args:
        amount: from 0 to below 1.

    Raises:
        OptionError: the amount is another.
    """
    if not 0 <= amount < 1:
        raise OptionError(f"--smooth {amount}: wants 0 up to, but not, 1")
    if amount == 0:
        return draw
    motion, before = Motion(), list[NDArray[np.float32]]()

    def drawn(pixels: Pixels) -> Pixels:
        result = draw(pixels).astype(np.float32)
        if step := motion.step(pixels):
            share = cv2.resize(amount * step.same, result.shape[1::-1])[..., None]
            result += share * (moved(before[0], resized(step.way, result.shape)) - result)
        before[:] = [result]
        return np.asarray(result.round().clip(0, 255), np.uint8)

    return drawn


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """How a frame came from the one before it."""

    way: NDArray[np.float32]
    """(H, W, 2), from each place to where it was, in x and y."""
    same: NDArray[np.float32]
    """(H, W), how far it shows the same there, in [0, 1]."""


class Motion:
    """Follows one film from frame to frame."""

    def __init__(self) -> None:
        self.flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self.before: Pixels | None = None

    def step(self, pixels: Pixels) -> Step | None:
        """The step to the next frame (H, W, 3); None at the first one, after one of another size, and if it is tiny."""
        frame, self.before = self.before, pixels
        if frame is None or frame.shape != pixels.shape or min(pixels.shape[:2]) < 16:
            return None
        grey, grey_before = (cv2.cvtColor(x, cv2.COLOR_RGB2GRAY) for x in (pixels, frame))
        way = np.asarray(self.flow.calc(grey, grey_before, np.zeros((*grey.shape, 2), np.float32)), np.float32)
        away = np.abs(moved(frame, way).astype(np.float32) - pixels).mean(2, keepdims=True)
        same = np.exp(-np.square(cv2.GaussianBlur(away, (0, 0), 1.5) / SAME))
        return Step(way=way, same=np.asarray(same, np.float32))


def moved(picture: NDArray[Any], way: NDArray[np.float32]) -> NDArray[Any]:
    """A picture (H, W, 3) whose every place shows what lies a step (H, W, 2) further, in x and y."""
    rows, columns = np.indices(way.shape[:2], np.float32)
    return cv2.remap(
        picture, columns + way[..., 0], rows + way[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def resized(way: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Steps for a picture of another size."""
    height, width = shape[:2]
    if way.shape[:2] == (height, width):
        return way
    scale = np.array([width / way.shape[1], height / way.shape[0]], np.float32)
    return np.asarray(cv2.resize(way, (width, height)) * scale, np.float32)


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A place for a file that takes the place of the target if nothing goes wrong."""
    temporary = target.with_name(f".{target.stem}.{secrets.token_hex(4)}.tmp{target.suffix}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(target)
    except OSError as error:  # FFmpeg's errors of files are OSErrors, too
        raise DiskError(f"{target}: cannot be written ({error.strerror or error})") from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _writable(temporary: Path, target: Path) -> "Iterator[av.container.OutputContainer]":
    import av

    result = av.open(str(temporary), "w")
    try:
        yield result
    finally:
        result.close()
