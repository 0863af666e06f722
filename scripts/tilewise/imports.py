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
        The script first, the modules sorted.
    """
    package = Path(folder, "tilewise")
    found, waiting = set(), [Path(script)]
    while waiting:
        for module in _imported(waiting.pop(), package) - found:
            found.add(module)
            waiting.append(module)
    return [Path(script), *sorted(found)]


@cache
def _imported(path, package):
    modules = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            first, *rest = name.split(".")
            if first == package.name:
                file = (
                    Path(package, *rest[:1]).with_suffix(".py") if rest else package / "__init__.py"
                )
                modules |= {file} if file.is_file() else set()
    return modules
