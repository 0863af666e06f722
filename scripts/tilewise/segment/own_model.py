"""Masks by a network of the user's own, from an ONNX file."""

import hashlib
import math
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tilewise.segment.steps import check_choice, check_positive, is_number, is_whole
from tilewise.store.grid import Grid, Region

NAME = "onnx"
"""What the configuration calls it."""
OUTPUTS = ("probability", "logit", "classes", "mask")
"""What a network may return."""
AXES = {
    "NCHW": ("1", "channels", "rows", "columns"),
    "NHWC": ("1", "rows", "columns", "channels"),
}
"""Its axes, by their order."""
INPUTS: dict[str, type[np.generic]] = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8}
"""What it may take."""
IR_VERSION, GRAPH = 1, 7
"""Numbers of the fields of `ModelProto` that every ONNX file has."""
MOST_FIELDS = 100
"""Every message of ONNX that is read here has fewer fields than that."""
CONSTANTS, TAKEN = 5, 11
"""Fields of `GraphProto`: its arrays, and what it takes."""
NAME_OF = {CONSTANTS: 8, TAKEN: 1}
"""Fields of `TensorProto` and `ValueInfoProto` with the name."""
SHAPE = (2, 1, 2)
"""From `ValueInfoProto` to `TensorShapeProto`: type, tensor type and shape."""
AXIS, SIZE = 1, 1
"""Fields of `TensorShapeProto`: an axis; and of that, its size where it is fixed."""
VARINT, BYTES = 0, 2
"""Protobuf's numbers for how a field is written."""
FIXED = {1: 8, 5: 4}
"""The same of fields of so many bytes."""
_loading = threading.Lock()


def onnx(
    plane: NDArray,
    file: str,
    output: str = "probability",
    above: float | None = None,
    halo: int = 32,
    window: int = 512,
    multiple: int = 1,
    scale: float | None = None,
    mean: float | Sequence[float] = 0,
    std: float | Sequence[float] = 1,
    foreground: int | Sequence[int] | None = None,
    layout: str = "NCHW",
) -> NDArray[np.uint8]:
    """Masks by a network of your own, an ONNX file.

    It is given windows of the plane after the method's filter, with a halo around each that is cut
    off again; beyond the image, pixels are mirrored. A network of several channels, such as red,
    green and blue, has a filter that begins with `channels`, in its order. Its first output counts.
    Only this file is read: one whose weights are in another file is refused. The table of
    thresholds has the file's checksum, the first 16 digits of its SHA-256.

    Parameters
    ----------
    file : str
        Path of the model, from the folder of the configuration file. Its input is (1, channels,
        rows, columns), of float32 or uint8, with as many channels as the filter gives.
    output : str
        What the model returns: `probability` of foreground, from 0 to 1; `logit`, the same before
        the sigmoid; `classes`, a score for each of several; or `mask`, 0 for background.
    above : float, optional
        The probability above which a pixel is foreground, by default 0.5. A `grid` may have
        several. Of `classes` the highest score counts.
    halo : int
        Pixels around a window: as far as the model looks.
    window : int
        Side of a window in pixels, without its halo. Smaller ones take less memory and more time.
    multiple : int
        The model takes sides that are multiples of this one, such as 16. Windows are mirrored up to
        them.
    scale : float, optional
        What grey levels are divided by; by default the greatest value of the image's dtype, such as
        255, and 1 for floats. A model that takes uint8 is given the pixels as they are.
    mean, std : float or list of float
        The model is given (grey level / scale - mean) / std; of several channels, a list has the
        number of each.
    foreground : int or list of int, optional
        Of `classes`, numbers of those that are foreground, from 0; by default all but 0.
    layout : str
        The order of the model's axes: `NCHW`, as PyTorch has them; or `NHWC`, as TensorFlow does,
        (1, rows, columns, channels), of its output as well.
    """
    settings = {
        **{"file": file, "output": output, "above": above, "halo": halo, "window": window},
        **{"multiple": multiple, "scale": scale, "mean": mean, "std": std},
        **{"foreground": foreground, "layout": layout},
    }
    rows, columns = plane.shape[-2:]
    side = max(rows, columns)
    region = Region(0, 1, 0, rows, 0, columns)
    grid = Grid((1, rows, columns), side, (1, side, side))
    return mask_of(scores(plane, region, region, grid, settings), settings)


def scores(
    pixels: NDArray, outer: Region, inner: Region, grid: Grid, settings: Mapping[str, Any]
) -> NDArray[np.float32]:
    """What a network returns for a region of one plane, for any `above`.

    Windows begin at the sample's first pixel, whatever the region, so that they do not depend on
    it.

    Parameters
    ----------
    pixels : (rows, columns) or (channels, rows, columns) ndarray
        Filtered pixels of `outer`, of any dtype.
    outer
        What is within `reach` of the inner region.
    settings
        All parameters of `onnx`.

    Returns
    -------
    (rows, columns) ndarray
        Of `outer`; valid in the inner region. Probabilities or logits; 1 where a mask, or the class
        with the highest score, is foreground, and 0 elsewhere.

    Raises
    ------
    ValueError
        If the file is no model that takes such pixels, or returns something else.
    """
    model = load(settings["file"])
    pixels = pixels.reshape(-1, *pixels.shape[-2:])
    scores = np.zeros(pixels.shape[1:], np.float32)
    _, height, width = grid.shape
    side, halo = settings["window"], settings["halo"]
    for y0, y1 in _windows(inner.y0, inner.y1, height, side):
        rows = _mirrored(y0 - halo, y1 + halo, height) - outer.y0
        for x0, x1 in _windows(inner.x0, inner.x1, width, side):
            columns = _mirrored(x0 - halo, x1 + halo, width) - outer.x0
            found = model.scores(pixels[:, rows[:, None], columns], settings)
            own = found[halo : halo + y1 - y0, halo : halo + x1 - x0]
            scores[y0 - outer.y0 : y1 - outer.y0, x0 - outer.x0 : x1 - outer.x0] = own
    return scores


def mask_of(scores: NDArray[np.float32], settings: Mapping[str, Any]) -> NDArray[np.uint8]:
    """The mask of scores: 1 foreground, 0 background."""
    above = 0.5 if settings["above"] is None else settings["above"]
    if settings["output"] == "logit":
        above = math.log(above / (1 - above))
    return (scores > above).view(np.uint8)


def _windows(start: int, stop: int, size: int, side: int) -> Iterator[tuple[int, int]]:
    """First and last pixel of each window along an axis that has pixels of a part of it."""
    for first in range(start // side * side, stop, side):
        yield first, min(first + side, size)


def _mirrored(start: int, stop: int, size: int) -> NDArray[np.int64]:
    """Numbers of pixels along an axis, those beyond its ends mirrored at them."""
    numbers = np.arange(start, stop) % (2 * size)
    return np.minimum(numbers, 2 * size - 1 - numbers)


def reach(settings: Mapping[str, Any], is_cleaned: bool = False) -> float:
    """Pixels around a pixel on which its mask depends: its window's, and the halo around that.

    With a clean-up it is the plane, `math.inf`, so that no window is computed for several strips.
    """
    return math.inf if is_cleaned else settings["window"] - 1 + settings["halo"]


def note(settings: Mapping[str, Any]) -> str:
    """What made a mask, for the table of thresholds."""
    return f"a mask by {settings['file']}, SHA-256 {load(settings['file']).checksum[:16]}"


def memory(settings: Mapping[str, Any]) -> int:
    """Megabytes of a network of up to 256 channels at full size, in one thread; a guess."""
    side = settings["window"] + 2 * settings["halo"] + settings["multiple"]
    weights = 2 * os.path.getsize(settings["file"])
    return round((256 * 4 * side**2 + weights) / 2**20)


@dataclass(frozen=True)
class Model:
    """A network that is ready to run; several threads may use it at once."""

    file: str
    run: Callable[[NDArray], NDArray]
    """From an array of its shape to the first output."""
    dtype: type[np.generic]
    """Of what it takes."""
    shape: tuple[int | None, ...]
    """Of what it takes, four sizes; None for any."""
    checksum: str
    """SHA-256 of the file, hexadecimal."""

    def scores(self, pixels: NDArray, settings: Mapping[str, Any]) -> NDArray:
        """Those of a window, (channels, rows, columns); the result is (rows, columns)."""
        check_shape(self.file, self.shape, len(pixels), settings["layout"])
        window = self._padded(self._normalized(pixels, settings), settings)
        _, rows, columns = window.shape
        is_last = settings["layout"] == "NHWC"
        given = np.ascontiguousarray(np.moveaxis(window, 0, -1)) if is_last else window
        try:
            found = self.run(given[None])
        # the runtime's errors have no class of their own
        except Exception as error:
            raise ValueError(
                f"{self.file} fails on {rows} x {columns} pixels: give a `multiple` that its sides "
                f"are to be of, or another `window` ({_first_line(error)})"
            ) from error
        shape = found.shape
        if found.ndim == 4 and is_last:
            found = np.moveaxis(found, -1, 1)
        found = found[:, None] if found.ndim == 3 else found
        if found.ndim != 4 or (len(found), *found.shape[2:]) != (1, rows, columns):
            raise ValueError(
                f"{self.file} returns an array of shape {shape} for {rows} x {columns} pixels: let "
                f"its first output be ({', '.join(AXES[settings['layout']])})"
            )
        own = slice(pixels.shape[1]), slice(pixels.shape[2])
        return self._scored(found[0], settings)[own]

    def _normalized(self, pixels, settings):
        scale, mean, std = settings["scale"], settings["mean"], settings["std"]
        if self.dtype is np.uint8:
            if pixels.dtype != np.uint8 or (scale, mean, std) != (None, 0, 1):
                raise ValueError(
                    f"{self.file} takes uint8, which is not normalised, and the image is "
                    f"{pixels.dtype}: leave out `scale`, `mean` and `std`, and give 8-bit images"
                )
            return pixels
        if scale is None:
            scale = np.iinfo(pixels.dtype).max if pixels.dtype.kind in "iu" else 1
        values = pixels.astype(np.float32)
        values /= scale
        values -= np.array(mean, np.float32).reshape(-1, 1, 1)
        values /= np.array(std, np.float32).reshape(-1, 1, 1)
        return values

    def _padded(self, window, settings):
        """A window of the size that the model takes, mirrored below and at the right."""
        multiple, sizes = settings["multiple"], self.shape[_sides(settings["layout"])]
        sides = [
            size or -(-side // multiple) * multiple
            for side, size in zip(window.shape[1:], sizes, strict=True)
        ]
        if sides[0] < window.shape[1] or sides[1] < window.shape[2]:
            raise ValueError(
                f"{self.file} takes {sides[0]} x {sides[1]} pixels, and windows have "
                f"{window.shape[1]} x {window.shape[2]} with their halo: let `window` and twice "
                f"`halo` add up to {min(sides)}"
            )
        margins = [(0, side - own) for side, own in zip(sides, window.shape[1:], strict=True)]
        return np.pad(window, [(0, 0), *margins], "symmetric")

    def _scored(self, found, settings):
        """Scores by an output, (channels, rows, columns)."""
        output, channels = settings["output"], len(found)
        if output == "classes":
            given = settings["foreground"]
            classes = np.atleast_1d(range(1, channels) if given is None else given)
            if channels == 1 or classes.max() >= channels:
                raise ValueError(
                    f"{self.file} returns {channels} channel{'s' * (channels > 1)}, a score of "
                    "each class: name other classes in `foreground`, or give another `output`"
                )
            return np.isin(found.argmax(axis=0), classes)
        if channels > 1:
            raise ValueError(
                f"{self.file} returns {channels} channels, and a {output} has one: is it "
                "`output: classes`?"
            )
        return found[0] != 0 if output == "mask" else found[0]


def load(file: str) -> Model:
    """A model, read once per process; ValueError if it is none that takes a plane."""
    with _loading:
        return _load(file)


@cache
def _load(file: str) -> Model:
    # takes a while, and only some jobs need it
    import onnxruntime

    data = Path(file).read_bytes()
    options = onnxruntime.SessionOptions()
    # threads are those of the job, each with windows of its own
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    # errors only, which are raised as well
    options.log_severity_level = 4
    # no other file is read
    folder = "session.model_external_initializers_file_folder_path"
    options.add_session_config_entry(folder, os.devnull)
    try:
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ValueError(
            f"{file} is no ONNX model that can be run: export it again, with its weights in the "
            f"file ({_first_line(error)})"
        ) from error
    given = session.get_inputs()
    shapes = ", ".join(f"{one.name} {one.type} {one.shape}" for one in given)
    if len(given) != 1 or given[0].type not in INPUTS:
        raise ValueError(
            f"{file} takes {shapes or 'nothing'}: let it take one array, (1, channels, rows, "
            "columns) of float32 or uint8"
        )

    shape = tuple(size if isinstance(size, int) else None for size in given[0].shape)

    def run(window):
        return session.run(None, {given[0].name: window})[0]

    return Model(file, run, INPUTS[given[0].type], shape, hashlib.sha256(data).hexdigest())


def check_shape(file: str, shape: Sequence[int | None], channels: int, layout: str) -> None:
    """Check that a model takes images of so many channels; ValueError says what to change.

    Parameters
    ----------
    shape
        Of what the model takes; None where any size will do.
    """
    axes = AXES[layout]
    if len(shape) != len(axes) or shape[0] not in (1, None):
        raise ValueError(
            f"{file} takes an array of shape {_written(shape)}: let it take ({', '.join(axes)}), "
            "an image at a time"
        )
    own = shape[axes.index("channels")]
    if own not in (channels, None):
        advice = "let the filter give as many, such as [{channels: [red, green, blue]}]"
        if layout == "NCHW" and shape[3] == channels:
            advice = "give `layout: NHWC`, if its channels are last"
        raise ValueError(
            f"{file} takes {own} channel{'s' * (own != 1)}, and its filter gives {channels}: "
            f"{advice}"
        )


def _sides(layout: str) -> slice:
    """The axes of rows and columns."""
    first = AXES[layout].index("rows")
    return slice(first, first + 2)


def _written(shape: Sequence[int | None]) -> str:
    return f"({', '.join('any' if size is None else str(size) for size in shape)})"


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def check(
    file: Any,
    output: Any,
    above: Any,
    halo: Any,
    window: Any,
    multiple: Any,
    scale: Any,
    mean: Any,
    std: Any,
    foreground: Any,
    layout: Any,
) -> None:
    """Check the settings, and that the file looks like ONNX; ValueError says what to change."""
    if not isinstance(file, str):
        raise ValueError(f"file is {file!r}: give the path of a model, such as model.onnx")
    check_choice("output", output, OUTPUTS)
    check_choice("layout", layout, AXES)
    is_of_classes = output == "classes"
    if above is not None and (is_of_classes or output == "mask"):
        raise ValueError(f"above is for probabilities: leave it out with `output: {output}`")
    if above is not None and (not is_number(above) or not 0 < above < 1):
        raise ValueError(f"above is {above!r}: give a number above 0 and below 1, such as 0.5")
    for name, value, least in (("halo", halo, 0), ("window", window, 1), ("multiple", multiple, 1)):
        if not is_whole(value) or value < least:
            raise ValueError(f"{name} is {value!r}: give a whole number of at least {least}")
    if scale is not None:
        check_positive("scale", scale)
    for name, value in (("mean", mean), ("std", std)):
        numbers = value if isinstance(value, list | tuple) else [value]
        if not numbers or not all(map(is_number, numbers)):
            raise ValueError(f"{name} is {value!r}: give a number, or a list with one per channel")
    for one in std if isinstance(std, list | tuple) else [std]:
        check_positive("std", one)
    if foreground is not None:
        numbers = foreground if isinstance(foreground, list | tuple) else [foreground]
        if not is_of_classes or not numbers or not all(is_whole(n) and n >= 0 for n in numbers):
            raise ValueError(
                f"foreground is {foreground!r}: give a class or a list of classes, from 0, with "
                "`output: classes`"
            )
    inputs_of(file)


def check_channels(settings: Mapping[str, Any], channels: int) -> None:
    """Check that a model, and its settings, are for images of so many channels.

    The model is not loaded. ValueError says what to change.
    """
    for name in ("mean", "std"):
        given = settings[name]
        if isinstance(given, list | tuple) and len(given) != channels:
            raise ValueError(
                f"{name} has {len(given)} number{'s' * (len(given) != 1)}, and its filter gives "
                f"{channels} channel{'s' * (channels != 1)}: give one for each"
            )
    file = settings["file"]
    taken = inputs_of(file)
    if len(taken) != 1:
        raise ValueError(f"{file} takes {len(taken)} arrays: let it take one, the image")
    check_shape(file, taken[0], channels, settings["layout"])


def inputs_of(file: str) -> list[tuple[int | None, ...]]:
    """The shape of each array that a model takes, by its file; None where any size will do.

    The model is not loaded. ValueError if the file cannot be read, ends too early, or is no ONNX
    model.
    """
    try:
        with open(file, "rb") as stream:
            known = _message(stream, (0, os.fstat(stream.fileno()).st_size))
            if not {IR_VERSION, GRAPH} <= {*known}:
                raise _DamageError
            return _shapes(stream, _message(stream, known[GRAPH][-1]))
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}") from None
    except _DamageError:
        raise ValueError(f"{file} is no ONNX model, or a damaged one: export it again") from None


class _DamageError(Exception):
    """What is read is no message of ONNX."""


_Value = int | tuple[int, int]
"""Of a field: a whole number, or the first byte and the end of what is longer."""


def _shapes(stream: BinaryIO, graph: dict[int, list[_Value]]) -> list[tuple[int | None, ...]]:
    """Of what a graph takes, without the arrays that it has itself."""
    own = {_name(stream, one, CONSTANTS) for one in graph.get(CONSTANTS, ())}
    taken = graph.get(TAKEN, ())
    return [_shape(stream, one) for one in taken if _name(stream, one, TAKEN) not in own]


def _name(stream: BinaryIO, value: _Value, kind: int) -> bytes:
    (*_, place) = _message(stream, value).get(NAME_OF[kind], [(0, 0)])
    if isinstance(place, int):
        raise _DamageError
    stream.seek(place[0])
    return stream.read(place[1] - place[0])


def _shape(stream: BinaryIO, value: _Value) -> tuple[int | None, ...]:
    """Of an array that is taken; empty if it is not said."""
    for number in SHAPE:
        known = _message(stream, value)
        if number not in known:
            return ()
        value = known[number][-1]
    return tuple(
        _size(_message(stream, axis).get(SIZE, []))
        for axis in _message(stream, value).get(AXIS, ())
    )


def _size(values: Sequence[_Value]) -> int | None:
    """Of an axis; those that are free are texts, nothing or -1."""
    size = values[-1] if values else None
    return size if isinstance(size, int) and size < 2**63 else None


def _message(stream: BinaryIO, value: _Value) -> dict[int, list[_Value]]:
    """The fields of a message of protobuf, by number."""
    if isinstance(value, int):
        raise _DamageError
    start, end = value
    stream.seek(start)
    found: dict[int, list[_Value]] = {}
    while stream.tell() < end:
        number, kind = divmod(_varint(stream), 8)
        if number >= MOST_FIELDS or kind not in (VARINT, BYTES, *FIXED):
            raise _DamageError
        size = FIXED[kind] if kind in FIXED else _varint(stream)
        at = stream.tell()
        if kind != VARINT:
            stream.seek(min(at + size, end + 1))
        if stream.tell() > end:
            raise _DamageError
        found.setdefault(number, []).append(size if kind == VARINT else (at, at + size))
    return found


def _varint(stream: BinaryIO) -> int:
    """A whole number, seven bits to a byte, the lowest first."""
    number = 0
    for shift in range(0, 70, 7):
        byte = stream.read(1)
        if not byte:
            raise _DamageError
        number |= (byte[0] & 127) << shift
        if byte[0] < 128:
            return number
    raise _DamageError
