"""Which modules of this library a script runs on, read from its import statements."""

import ast
from functools import cache
from pathlib import Path


def find(script, folder):
    """A script and the library modules that it imports, directly or not.

    Parameters
    ----------
    script : path
        A Python file.
    folder : path
        The folder of the package `tilewise`.

    Returns
    -------
    list of Path
        The script first, the modules sorted: at any depth of subpackages, each with the
        `__init__.py` of every package that it is in.
    """
    package = Path(folder, "tilewise")
    found, waiting = set(), [Path(script)]
    while waiting:
        for module in imported(waiting.pop(), package) - found:
            found.add(module)
            waiting.append(module)
    return [Path(script), *sorted(found)]


@cache
def imported(path, package):
    """The library modules that a file imports itself, anywhere in it.

    Parameters
    ----------
    path : Path
        A Python file.
    package : Path
        The folder of the library.

    Returns
    -------
    set of Path
        With the `__init__.py` of every package that they are in.
    """
    modules = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            modules |= _run_by(name, package)
    return modules


def _run_by(name, package):
    """Files that importing a dotted name runs: each `__init__.py` on its way, and the module."""
    first, *rest = name.split(".")
    if first != package.name:
        return set()
    folders = [package.joinpath(*rest[:depth]) for depth in range(len(rest) + 1)]
    files = [file for path in folders for file in (path / "__init__.py", path.with_suffix(".py"))]
    return {file for file in files if file.is_file()}
