"""Which modules of this library a script runs on, read from its import statements."""

import ast
import re
from functools import cache
from pathlib import Path

IMPORT_STATEMENT = re.compile(
    r"^[ \t]*((?:from|import)[ \t](?:[^\n(\\]|\\\n)*(?:\([^)]*\))?)", re.MULTILINE
)
"""What may be an import, over several lines too; whole files take five times as long to parse."""


def find(script: Path, folder: Path) -> list[Path]:
    """A script, then, sorted, the library modules that it imports, directly or not.

    With each module comes the `__init__.py` of every package that it is in. The package
    `tilewise` lies in `folder`.
    """
    package = Path(folder, "tilewise")
    modules: set[Path] = set()
    waiting = [script]
    while waiting:
        new = imported(waiting.pop(), package) - modules
        modules |= new
        waiting += new
    return [script, *sorted(modules)]


@cache
def imported(path: Path, package: Path) -> set[Path]:
    """The modules of a library that a Python file imports itself, anywhere in it.

    `package` is the folder of the library. The `__init__.py` of packages are among the modules.
    """
    text = path.read_text(encoding="utf-8")
    mentions = sum(package.name in line for line in text.splitlines() if "import" in line)
    statements = [one for one in IMPORT_STATEMENT.findall(text) if package.name in one]
    try:
        if len(statements) < mentions:
            raise SyntaxError("an import within a line")
        nodes: list[ast.AST] = [node for one in statements for node in ast.parse(one).body]
    except SyntaxError:
        # what is no plain statement, or no statement at all: the whole file tells
        nodes = list(ast.walk(ast.parse(text)))
    names = [name for node in nodes for name in _names(node)]
    return {file for name in names for file in _run_by(name, package)}


def _names(node):
    """Dotted names of modules, and of what may be one, that a statement imports."""
    if isinstance(node, ast.ImportFrom) and node.module:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []


def _run_by(name, package):
    """Files that importing a dotted name runs: each `__init__.py` on its way, and the module."""
    first, *rest = name.split(".")
    if first != package.name:
        return set()
    folders = [package.joinpath(*rest[:depth]) for depth in range(len(rest) + 1)]
    files = [file for path in folders for file in (path / "__init__.py", path.with_suffix(".py"))]
    return {file for file in files if file.is_file()}
