"""Steps as a configuration names them: `otsu`, `{median: 3}` or `{gaussian: {sigma: 2}}`."""

import difflib
import inspect


def parse(step, functions, kind):
    """A step's name and settings, checked against the function that it names.

    Parameters
    ----------
    step : str or dict
        A name; or a name with the value of the function's first setting, or with its settings.
    functions : dict of str to callable
        By name; the parameters after the first are the settings.
    kind : str
        What a step is called in messages.

    Returns
    -------
    (str, dict)

    Raises
    ------
    ValueError
        If the name or a setting is unknown or a setting is missing; the message names the known.
    """
    name, settings = (step, {}) if isinstance(step, str) else next(iter(step.items()))
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
    for setting, parameter in known.items():
        if parameter.default is parameter.empty and setting not in settings:
            raise ValueError(f"{kind} {name} needs a {setting}: write {{{name}: {{{setting}: ...}}}}")
    return name, settings


def settings_of(function):
    """A function's parameters after the first."""
    return dict(list(inspect.signature(function).parameters.items())[1:])


def hint(name, known):
    """A suggestion for a name that is not known: the nearest one and the list of all."""
    nearest = difflib.get_close_matches(str(name), known, 1)
    maybe = f"; did you mean {nearest[0]}?" if nearest else ""
    return f"{maybe} (known: {', '.join(known) or 'none'})"
