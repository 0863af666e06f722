"""Steps as a configuration names them: `otsu`, `{median: 3}` or `{gaussian: {sigma: 2}}`."""

import difflib
import inspect
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from typing import Any, TypeGuard

WHOLE_PLANE = math.inf
"""The reach of a step that needs the whole plane; of others it is a number of pixels."""


def parse(step: Any, functions: Mapping[str, Callable], kind: str) -> tuple[str, dict[str, Any]]:
    """A step's name and all of its settings, those left out with the function's defaults.

    Parameters
    ----------
    step
        A name (`otsu`), a name with its first setting (`{median: 3}`) or with named settings
        (`{gaussian: {sigma: 2}}`); or what this function returns.
    functions
        By name; the parameters after the first are the settings.
    kind
        What a step is called in messages.

    Raises
    ------
    ValueError
        If the name or a setting is unknown or a setting is missing; the message names the known.
    """
    name, settings = given(step, functions, kind)
    known = settings_of(functions[name])
    for setting, default in known.items():
        if default is inspect.Parameter.empty and setting not in settings:
            raise ValueError(
                f"{kind} {name} needs a value for {setting}: write {{{name}: {{{setting}: ...}}}}"
            )
    return name, {**known, **settings}


def given(step: Any, functions: Mapping[str, Callable], kind: str) -> tuple[str, dict[str, Any]]:
    """A step's name and the settings that are given; as `parse`, but others may be missing."""
    if isinstance(step, str):
        step = step, {}
    elif isinstance(step, dict) and len(step) == 1:
        step = next(iter(step.items()))
    if not isinstance(step, tuple):
        raise ValueError(f"{step!r} is no {kind}: give a name, or one name with its settings")
    name, settings = step[0], {} if step[1] is None else step[1]
    if name not in functions:
        raise ValueError(f"{kind} {name} does not exist{hint(name, functions)}")
    known = settings_of(functions[name])
    if not isinstance(settings, dict):
        if not known:
            raise ValueError(f"{kind} {name} has no settings: leave {settings!r} out")
        settings = {next(iter(known)): settings}
    for setting in settings:
        if setting not in known:
            raise ValueError(f"{kind} {name} has no setting {setting}{hint(setting, known)}")
    return name, settings


@cache
def settings_of(function: Callable) -> dict[str, Any]:
    """A function's parameters after the first, with their defaults; not to be written to.

    Those that can only be given by name are no settings.
    """
    parameters = list(inspect.signature(function).parameters.values())[1:]
    return {
        parameter.name: parameter.default
        for parameter in parameters
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY
    }


@cache
def takes_inside(function: Callable) -> bool:
    """Whether a function looks at the pixels inside of a region of interest only."""
    return "inside" in inspect.signature(function).parameters


def hint(name: object, known: Collection[str]) -> str:
    """A suggestion for a name that is not known: the nearest one and the list of all."""
    nearest = difflib.get_close_matches(str(name), known, 1)
    maybe = f"; did you mean {nearest[0]}?" if nearest else ""
    return f"{maybe} (known: {', '.join(known) or 'none'})"


def check_choice(name: str, value: object, choices: Iterable[str]) -> None:
    """Make sure that a setting is one of its choices; ValueError otherwise."""
    choices = tuple(choices)
    if value not in choices:
        raise ValueError(f"{name} is {value!r}: choose one of {', '.join(choices)}")


def check_positive(name: str, value: object) -> None:
    """Make sure that a setting is a number above 0; ValueError otherwise."""
    if not is_number(value) or value <= 0:
        raise ValueError(f"{name} is {value!r}: give a number above 0")


def is_whole(value: object) -> TypeGuard[int]:
    """Whether a setting is a whole number; `true` and `false` are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> TypeGuard[float]:
    """Whether a setting is a finite number."""
    return is_whole(value) or (isinstance(value, float) and math.isfinite(value))
