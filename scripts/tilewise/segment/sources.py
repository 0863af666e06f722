"""Sources: masks of other programs, which a filter may begin with in place of the image.

Their pixels are stored as arrays of float32, whatever their files have: labels that are not 0 stay
so, and uint8, uint16, int16 and float32 keep every value. What is named as a source or as a
threshold only declares its settings: no pixels go through these functions.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Any

from numpy.typing import NDArray

from tilewise.segment.steps import is_number, is_whole, parse

EXTERNAL = "external"
"""What the configuration calls masks that are brought, as a step and as a threshold."""
COMMAND = "command"
"""The same of masks that a program makes."""
PROGRAM = ("run", "version", "halo", "timeout", "memory")
"""Settings of a program, whatever its masks are used for."""
PLACES = ("{input}", "{output}")
"""What the arguments of a program name."""
ARRAY = "array"
"""What jobs know any source by: `{array: NAME}`, its name in `external/` of a stack. The same of a
channel of the image, or of several, `{array: [NAME, NAME]}`."""
CHANNEL = "channel:"
"""First part of the name of the array of a channel, which no column has; the second is its name in
`channels/` of a stack."""
LONGEST_NAME = 40
"""Of a channel, as the name of a folder."""
DTYPE = "float32"
"""Of their pixels."""
COLUMN_NAME = re.compile(r"[A-Za-z0-9_.-]+")
"""Of a column of the sample sheet, since a folder has its name, too."""


def external(pixels: NDArray, column: str, above: float = 0, channel: int | None = None) -> None:
    """Foreground is what is above a number in masks or probabilities that were made elsewhere.

    By default it is all objects, whatever their numbers, and all that is not 0 in a mask.

    Parameters
    ----------
    column : str
        Column of the sample sheet that names their files.
    above : float
        A value of theirs, such as 0.5 for probabilities from 0 to 1. A `grid` may have several.
    channel : int, optional
        Number of the channel that counts, from 0, where the images have several.
    """


def command(
    pixels: NDArray,
    run: list[str],
    version: str,
    halo: int = 0,
    above: float = 0,
    timeout: float = 3600,
    memory: int | None = None,
) -> None:
    """Foreground is what is above a number in masks or probabilities that a program writes.

    It is run once for each block, on a folder of tiles after the method's filter, as TIFF in the
    image's dtype, and writes a file of the same name and size for each, in any format that is read.
    It is not run through a shell.

    Parameters
    ----------
    run : list of str
        The program and its arguments. `{input}` and `{output}` become the two folders, `{threads}`
        the threads of the job, `{folder}` the folder of the configuration file.
    version : str
        Of the program, its model and what else it goes by. Another one runs it again.
    halo : int
        Pixels around a tile that the program is given, and that are cut off again.
    above : float
        A value of the masks, such as 0.5 for probabilities from 0 to 1. A `grid` may have several.
    timeout : float
        Seconds after which the program is killed, with all that it has started.
    memory : int, optional
        Megabytes that the program may take, for which the job asks, too; by default any number.
    """


def external_image(pixels: NDArray, column: str, channel: int | None = None) -> None:
    """Pixels of masks made elsewhere, or of probabilities; as a filter's first step."""


def command_image(
    pixels: NDArray,
    run: list[str],
    version: str,
    halo: int = 0,
    timeout: float = 3600,
    memory: int | None = None,
    filter: str | None = None,
) -> None:
    """What a program makes of the image after a filter; as a filter's first step."""


SOURCES: dict[str, Callable] = {EXTERNAL: external_image, COMMAND: command_image}
"""Every source by the name that the configuration uses, with its settings as a step."""
MASKS: dict[str, Callable] = {EXTERNAL: external, COMMAND: command}
"""The same as thresholds."""


def source_of(steps: Sequence) -> tuple[str, dict[str, Any]] | None:
    """The source that a chain begins with, and all of its settings; None if it is the image."""
    first = steps[0] if steps else None
    name = next(iter(first), None) if isinstance(first, dict | tuple) else first
    return parse(first, SOURCES, "filter") if name in SOURCES else None


def given_filter(steps: Sequence) -> str | None:
    """Name of the filter whose images a program is given that a chain begins with, if any."""
    source = source_of(steps)
    return source[1]["filter"] if source and source[0] == COMMAND else None


def array_of(steps: Sequence) -> str | list[str] | None:
    """Name of the array that a job's chain begins with, or a list of several, if it does."""
    first = steps[0] if steps else None
    return first.get(ARRAY) if isinstance(first, dict) else None


def arrays_of(steps: Sequence) -> list[str]:
    """Names of the arrays that a job's chain begins with: several are channels of the image."""
    array = array_of(steps)
    return list(array) if isinstance(array, list | tuple) else [array] if array else []


def channel_array(channel: str | int) -> str:
    """Name of the array of one of the image's channels, by its number or its name."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", str(channel))[:LONGEST_NAME]
    # a name of digits is no number
    if name != str(channel) or (isinstance(channel, str) and channel.isdigit()):
        name += f"-{hashlib.sha256(str(channel).encode()).hexdigest()[:8]}"
    return f"{CHANNEL}{name}"


def channel_folder(array: str) -> str:
    """Name of the folder of a channel, without its ending."""
    return array.removeprefix(CHANNEL)


def is_channel(array: str) -> bool:
    """Whether an array is a channel of the image, in its dtype, and not a source's."""
    return array.startswith(CHANNEL)


def array_name(column: str, channel: int | None = None) -> str:
    """Of masks of a column."""
    return column if channel is None else f"{column}-channel-{channel}"


def chain_of(threshold: str, settings: dict[str, Any], filter: str | None) -> list[Any]:
    """The filter that gives the masks that a threshold is of, by the threshold's settings."""
    if threshold == EXTERNAL:
        own = {name: settings[name] for name in ("column", "channel")}
    else:
        own = {name: settings[name] for name in PROGRAM} | {"filter": filter}
    return [{threshold: own}]


def check_external(column: Any, channel: Any, above: Any = 0) -> None:
    """Make sure that the settings of an `external` can be used; ValueError otherwise."""
    if not isinstance(column, str) or not COLUMN_NAME.fullmatch(column):
        raise ValueError(
            f"column is {column!r}: give the name of a column of the sample sheet, of letters, "
            "digits, `_`, `-` and `.`"
        )
    if column.startswith(f"{COMMAND}-"):
        raise ValueError(
            f"column is {column!r}: rename it, since masks of programs have such names"
        )
    if channel is not None and (not is_whole(channel) or channel < 0):
        raise ValueError(f"channel is {channel!r}: give a number from 0, or leave it out")
    if not is_number(above):
        raise ValueError(f"above is {above!r}: give a number, such as 0.5")


def check_command(
    run: Any,
    version: Any,
    halo: Any,
    timeout: Any,
    memory: Any,
    filter: Any = None,
    above: Any = 0,
) -> None:
    """Make sure that the settings of a `command` can be used; ValueError otherwise."""
    if not isinstance(run, list) or not all(isinstance(one, str | int | float) for one in run):
        raise ValueError(
            f"run is {run!r}: give a list of the program and its arguments, as in "
            "[segment-it, '{input}', '{output}']"
        )
    for place in PLACES:
        if not any(place in str(argument) for argument in run):
            raise ValueError(f"run does not name {place}: tell the program where its files are")
    if not isinstance(version, str | int | float) or not str(version):
        raise ValueError(f"version is {version!r}: give a text, such as '3.1'")
    if not is_whole(halo) or halo < 0:
        raise ValueError(f"halo is {halo!r}: give a whole number of pixels, or leave it out")
    if not is_number(timeout) or timeout <= 0:
        raise ValueError(f"timeout is {timeout!r}: give a number of seconds above 0")
    if memory is not None and (not is_whole(memory) or memory < 1):
        raise ValueError(f"memory is {memory!r}: give a number of megabytes, or leave it out")
    if filter is not None and not isinstance(filter, str):
        raise ValueError(f"filter is {filter!r}: give the name of a filter, or leave it out")
    if not is_number(above):
        raise ValueError(f"above is {above!r}: give a number, such as 0.5")


CHECKS: dict[str, Callable[..., None]] = {EXTERNAL: check_external, COMMAND: check_command}
"""What raises ValueError for settings that a source cannot use, by its name."""
