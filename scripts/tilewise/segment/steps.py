"""Steps as a configuration names them: `otsu`, `{median: 3}` or `{gaussian: {sigma: 2}}`."""

import difflib
import inspect
from functools import cache


def parse(step, functions, kind):
    """A step's name and settings, checked against the function that it names.

    Parameters
    ----------
    step : str, dict or (str, dict)
        A name; or a name with the value of the function's first setting, or with its settings; or
        what this function returns.
    functions : dict of str to callable
        By name; the parameters after the first are the settings.
    kind : str
        What a step is called in messages.

    Returns
    -------
    (str, dict)
        The name and all settings, those left out with the function's defaults.

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


def given(step, functions, kind):
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
def settings_of(function):
    """A function's parameters after the first, with their defaults; not to be written to."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    return {parameter.name: parameter.default for parameter in parameters}


def hint(name, known):
    """A suggestion for a name that is not known: the nearest one and the list of all."""
    nearest = difflib.get_close_matches(str(name), known, 1)
    maybe = f"; did you mean {nearest[0]}?" if nearest else ""
    return f"{maybe} (known: {', '.join(known) or 'none'})"
