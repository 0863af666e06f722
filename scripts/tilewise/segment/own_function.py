"""Masks by a function of the user's own, from a Python file."""

import ast
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

NAME = "python"
"""What the configuration calls it."""
INSIDE = "inside"
"""The parameter by which a function asks for the region of interest."""


def python(
    plane: NDArray,
    file: str,
    function: str = "segment",
    halo: int | None = None,
    params: Mapping[str, Any] | None = None,
    *,
    inside: NDArray[np.bool] | None = None,
) -> NDArray[np.uint8]:
    """Masks by a function of your own: `segment(image, **params)`, 0 or False is background.

    The image is a plane, or a part of it, after the method's filter: (rows, columns) in the image's
    dtype. The mask has its shape, and is of integers or booleans. Several threads may call the
    function at once. A function with a parameter `inside` is given the region of interest as
    booleans, or None where all pixels are in it. Only this file is watched: what it imports of your
    own is not found.

    Parameters
    ----------
    file : str
        Path of the Python file, from the folder of the configuration file.
    function : str
        Name of the function in it.
    halo : int, optional
        Pixels around a pixel on which its mask depends. By default the function is given whole
        planes; with a halo, parts of them, which takes less memory.
    params : dict, optional
        What else the function is given, by name. A `grid` may have these names, too.

    Raises
    ------
    ValueError
        If the function does not return a mask of the image's shape.
    """
    settings = dict(params or {})
    called = _load(file, function)
    if INSIDE in inspect.signature(called).parameters:
        settings[INSIDE] = inside
    # filtered pixels may be shared by several methods
    image = plane.view()
    image.flags.writeable = False
    mask = np.asarray(called(image, **settings))
    if mask.shape != plane.shape:
        raise ValueError(
            f"{file}: {function} returned an array of shape {mask.shape} for an image of shape "
            f"{plane.shape}: return a mask of the image's shape"
        )
    if mask.dtype.kind not in "biu":
        raise ValueError(
            f"{file}: {function} returned {mask.dtype}: return a mask of booleans or integers, "
            "such as `probability > 0.5`"
        )
    return (mask != 0).view(np.uint8)


@cache
def _load(file: str, function: str) -> Callable[..., Any]:
    """The function; the file is run once per process, and nothing is written beside it."""
    module = ModuleType(Path(file).stem)
    module.__file__ = file
    exec(compile(Path(file).read_bytes(), file, "exec"), vars(module))
    return vars(module)[function]


@dataclass(frozen=True)
class Parameters:
    """What a function takes after the image."""

    required: list[str]
    optional: list[str]
    takes_any: bool
    """Whether it takes others, too, by `**`."""

    @property
    def names(self) -> list[str]:
        """Of all that are named."""
        return self.required + self.optional


def parameters_of(file: str, function: str = "segment") -> Parameters:
    """A function's parameters, read without running its file.

    ValueError if the file or the function is missing, or is no Python.
    """
    try:
        tree = ast.parse(Path(file).read_bytes(), file)
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}") from None
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"{file} is no Python: {error}") from None
    known = {node.name: node.args for node in tree.body if isinstance(node, ast.FunctionDef)}
    if function not in known:
        raise ValueError(
            f"{file} has no function {function} (it has: {', '.join(known) or 'none'})"
        )
    own = known[function]
    by_place = [parameter.arg for parameter in own.posonlyargs + own.args]
    if not by_place:
        raise ValueError(f"{file}: {function} takes no image: give it a first parameter")
    with_default = set(by_place[len(by_place) - len(own.defaults) :])
    by_name = zip(own.kwonlyargs, own.kw_defaults, strict=True)
    with_default |= {parameter.arg for parameter, default in by_name if default}
    names = [*by_place[1:], *(parameter.arg for parameter in own.kwonlyargs)]
    return Parameters(
        required=[name for name in names if name not in with_default],
        optional=[name for name in names if name in with_default],
        takes_any=own.kwarg is not None,
    )


def check(file: Any, function: Any, halo: Any, params: Any) -> None:
    """Make sure that the function exists and takes its settings; ValueError otherwise."""
    if not isinstance(file, str) or not isinstance(function, str):
        raise ValueError("file and function are texts: `{python: {file: own.py, function: name}}`")
    if halo is not None and (not isinstance(halo, int) or isinstance(halo, bool) or halo < 0):
        raise ValueError(f"halo is {halo!r}: give a whole number of pixels, or leave it out")
    if params is not None and not isinstance(params, dict):
        raise ValueError(f"params is {params!r}: give names with their values")
    given, known = list(params or {}), parameters_of(file, function)
    if INSIDE in given:
        raise ValueError(f"{INSIDE} is the region of interest, which {function} is given anyway")
    for name in given:
        if name not in known.names and not known.takes_any:
            has = ", ".join(known.names) or "none"
            raise ValueError(f"{file}: {function} has no parameter {name} (it has: {has})")
    for name in known.required:
        if name not in (*given, INSIDE):
            raise ValueError(f"{file}: {function} needs a value for {name}: give it in `params`")
