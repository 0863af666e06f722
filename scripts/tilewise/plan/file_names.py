"""Paths of the user's files that Snakemake would not take as they are."""

import os
import re

PLACEHOLDER = re.compile(r"\{\s*[.\w]+\s*(,.*)?\}|<[a-z][a-z0-9_]*>", re.DOTALL)
"""What Snakemake replaces in a path: wildcards and path variables."""


def check_path(path: str | os.PathLike[str]) -> None:
    """Make sure that Snakemake takes a path as it is.

    Raises
    ------
    ValueError
        If it has a placeholder, a line break, or bytes that are no text; the message has the path
        and the remedy.
    """
    text = os.fspath(path)
    reason = None
    if placeholder := PLACEHOLDER.search(text):
        reason = f"Snakemake would put something else in the place of {placeholder.group()}"
    elif "\n" in text or "\r" in text:
        reason = "it has a line break"
    elif not _is_text(text):
        reason = "it has bytes that are no text in UTF-8"
    if reason:
        raise ValueError(f"the path {text!r} cannot be used, since {reason}: rename it")


def check_workflow(folder: str | os.PathLike[str]) -> None:
    """Make sure that Snakemake finds scripts in the folder of the workflow.

    ValueError if the whole path has braces, or the one from the working directory is one that
    `check_path` refuses.
    """
    path = os.path.abspath(folder)
    if "{" in path or "}" in path:
        raise ValueError(
            f"the workflow cannot be run from {path!r}, since Snakemake formats the paths of its "
            "scripts: move it to a folder without braces"
        )
    check_path(os.path.relpath(path))


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
