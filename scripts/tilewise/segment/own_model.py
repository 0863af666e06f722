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
INPUTS: dict[str, type[np.generic]] = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8}
"""What it may take."""
IR_VERSION, GRAPH = 1, 7
"""Numbers of the fields of `ModelProto` that every ONNX file has."""
MOST_FIELDS = 100
"""`ModelProto` has fewer fields than that."""
VARINT, BYTES = 0, 2
"""Protobuf's numbers for how a field is written."""
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
    mean: float = 0,
    std: float = 1,
    foreground: int | Sequence[int] | None = None,
) -> NDArray[np.uint8]:
    """Masks by a network of your own, an ONNX file that takes planes of one channel.

    It is given windows of the plane after the method's filter, with a halo around each that is cut
    off again; beyond the image, pixels are mirrored. Its first output counts. Only this file is
    read: one whose weights are in another file is refused. The table of thresholds has the file's
    checksum, the first 16 digits of its SHA-256.

    Parameters
    ----------
    file : str
        Path of the model, from the folder of the configuration file. Its input is (1, 1, rows,
        columns), of float32 or uint8.
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
    mean, std : float
        The model is given (grey level / scale - mean) / std.
    foreground : int or list of int, optional
        Of `classes`, numbers of those that are foreground, from 0; by default all but 0.
    """
    settings = {
        **{"file": file, "output": output, "above": above, "halo": halo, "window": window},
        **{"multiple": multiple, "scale": scale, "mean": mean, "std": std},
        "foreground": foreground,
    }
    rows, columns = plane.shape
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
    pixels : (rows, columns) ndarray
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
    scores = np.zeros(pixels.shape, np.float32)
    _, height, width = grid.shape
    side, halo = settings["window"], settings["halo"]
    for y0, y1 in _windows(inner.y0, inner.y1, height, side):
        rows = _mirrored(y0 - halo, y1 + halo, height) - outer.y0
        for x0, x1 in _windows(inner.x0, inner.x1, width, side):
            columns = _mirrored(x0 - halo, x1 + halo, width) - outer.x0
            found = model.scores(pixels[np.ix_(rows, columns)], settings)
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
    """From (1, 1, rows, columns) to the first output."""
    dtype: type[np.generic]
    """Of what it takes."""
    size: tuple[int | None, int | None]
    """Rows and columns that it takes; None for any."""
    checksum: str
    """SHA-256 of the file, hexadecimal."""

    def scores(self, pixels: NDArray, settings: Mapping[str, Any]) -> NDArray:
        """Those of a window; it and the result are (rows, columns)."""
        window = self._padded(self._normalized(pixels, settings), settings["multiple"])
        rows, columns = window.shape
        try:
            found = self.run(window[None, None])
        # the runtime's errors have no class of their own
        except Exception as error:
            raise ValueError(
                f"{self.file} fails on {rows} x {columns} pixels: give a `multiple` that its sides "
                f"are to be of, or another `window` ({_first_line(error)})"
            ) from error
        found = found[:, None] if found.ndim == 3 else found
        if found.ndim != 4 or (len(found), *found.shape[2:]) != (1, rows, columns):
            raise ValueError(
                f"{self.file} returns an array of shape {found.shape} for {rows} x {columns} "
                "pixels: let its first output be (1, channels, rows, columns)"
            )
        own = slice(pixels.shape[0]), slice(pixels.shape[1])
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
        values -= mean
        values /= std
        return values

    def _padded(self, window, multiple):
        """A window of the size that the model takes, mirrored below and at the right."""
        sides = [
            size or -(-side // multiple) * multiple
            for side, size in zip(window.shape, self.size, strict=True)
        ]
        if sides[0] < window.shape[0] or sides[1] < window.shape[1]:
            raise ValueError(
                f"{self.file} takes {sides[0]} x {sides[1]} pixels, and windows have "
                f"{window.shape[0]} x {window.shape[1]} with their halo: let `window` and twice "
                f"`halo` add up to {min(sides)}"
            )
        margins = [(0, side - own) for side, own in zip(sides, window.shape, strict=True)]
        return np.pad(window, margins, "symmetric")

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
    shape = list(given[0].shape) if len(given) == 1 else []
    if len(shape) != 4 or given[0].type not in INPUTS or not _is_one(shape[0]):
        raise ValueError(
            f"{file} takes {shapes or 'nothing'}: let it take one array, (1, 1, rows, columns) of "
            "float32 or uint8"
        )
    if not _is_one(shape[1]):
        raise ValueError(
            f"{file} takes {shape[1]} channels, and an image after its filter has one: train a "
            "model on one channel"
        )
    rows, columns = (side if isinstance(side, int) else None for side in shape[2:])

    def run(window):
        return session.run(None, {given[0].name: window})[0]

    return Model(
        file, run, INPUTS[given[0].type], (rows, columns), hashlib.sha256(data).hexdigest()
    )


def _is_one(size: object) -> bool:
    """Whether a size is 1, or may be: those that are free are texts or None."""
    return size == 1 or not isinstance(size, int)


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
) -> None:
    """Check the settings, and that the file looks like ONNX; ValueError says what to change."""
    if not isinstance(file, str):
        raise ValueError(f"file is {file!r}: give the path of a model, such as model.onnx")
    check_choice("output", output, OUTPUTS)
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
    if not is_number(mean):
        raise ValueError(f"mean is {mean!r}: give a number")
    check_positive("std", std)
    if foreground is not None:
        numbers = foreground if isinstance(foreground, list | tuple) else [foreground]
        if not is_of_classes or not numbers or not all(is_whole(n) and n >= 0 for n in numbers):
            raise ValueError(
                f"foreground is {foreground!r}: give a class or a list of classes, from 0, with "
                "`output: classes`"
            )
    check_file(file)


def check_file(file: str) -> None:
    """Check that a file has the parts of an ONNX model, each of them whole, without loading it.

    ValueError if it cannot be read, ends too early, or is something else.
    """
    try:
        with open(file, "rb") as stream:
            found = _fields(stream, os.fstat(stream.fileno()).st_size)
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}") from None
    if not {IR_VERSION, GRAPH} <= found:
        raise ValueError(f"{file} is no ONNX model, or a damaged one: export it again")


def _fields(stream: BinaryIO, size: int) -> set[int]:
    """Numbers of the fields of a message of protobuf; none if it is not one of ONNX."""
    found = set()
    while stream.tell() < size:
        number, kind = divmod(_varint(stream), 8)
        value = _varint(stream)
        length = value if kind == BYTES else 0
        is_whole_field = stream.tell() + length <= size and value >= 0
        if number >= MOST_FIELDS or kind not in (VARINT, BYTES) or not is_whole_field:
            return set()
        stream.seek(length, os.SEEK_CUR)
        found.add(number)
    return found


def _varint(stream: BinaryIO) -> int:
    """A whole number, seven bits to a byte, the lowest first; -1 if there is none."""
    number = 0
    for shift in range(0, 64, 7):
        byte = stream.read(1)
        number |= (byte[0] & 127) << shift if byte else 0
        if not byte or byte[0] < 128:
            return number if byte else -1
    return -1
