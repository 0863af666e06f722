"""Every package of the locks that is installed here has a licence that the project accepts."""

import re
from email.message import Message
from importlib import metadata
from pathlib import Path

import pytest

ENVS = Path(__file__).parents[2] / "envs"
ACCEPTED = {
    *("0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause"),
    *("BSL-1.0", "CC0-1.0", "ISC", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Zlib"),
}
"""By their SPDX names: permissive licences, and the MPL, which asks for changed files alone."""
CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Public Domain": "CC0-1.0",
    "Python Software Foundation License": "PSF-2.0",
}
SPELLED = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD-3-clause": "BSD-3-Clause",
}
"""Licences that packages spell in their own way."""
LOOKED_AT = {
    "axe-playwright-python": "no metadata; its file LICENSE is the MIT licence",
    "conda-inject": "no metadata; its file LICENSE is the MIT licence",
    "docutils": "public domain and BSD; the GPL is that of a mode of Emacs, which is not installed",
    "snakemake-interface-common": "no metadata; its file LICENSE is the MIT licence",
    "snakemake-interface-logger-plugins": "no metadata; its file LICENSE is the MIT licence",
    "snakemake-interface-report-plugins": "no metadata; its file LICENSE is the MIT licence",
    "snakemake-interface-scheduler-plugins": "no metadata; its file LICENSE is the MIT licence",
    "snakemake-interface-storage-plugins": "no metadata; its file LICENSE is the MIT licence",
    "snakemake-logger-plugin-rich": "no metadata; its file LICENSE is the MIT licence",
}
"""Packages whose metadata do not say it, and why they are accepted."""


def locked():
    """Name and version of all packages of all locks."""
    texts = [path.read_text() for path in ENVS.glob("requirements*.txt")]
    package = re.compile(r"^([a-z0-9-]+)==([^ ]+)", re.MULTILINE)
    return {found for text in texts for found in package.findall(text)}


def licence(package):
    """An SPDX expression, from the metadata of a package; empty if they have none."""
    if package.get("License-Expression"):
        return package["License-Expression"]
    classifiers = [text.split(" :: ") for text in package.get_all("Classifier") or []]
    names = [parts[-1] for parts in classifiers if parts[0] == "License" and len(parts) > 2]
    if names:
        return " AND ".join(CLASSIFIERS.get(name, name) for name in names)
    text = (package.get("License") or "").strip()
    return SPELLED.get(text, text)


def is_accepted(expression):
    """Whether all parts of an SPDX expression without parentheses, or a choice of each, are."""
    return all(
        any(choice in ACCEPTED for choice in part.split(" OR "))
        for part in expression.split(" AND ")
    )


def test_installed_packages_of_the_locks():
    packages, refused, number = locked(), [], 0
    for package in metadata.distributions():
        name = re.sub(r"[-_.]+", "-", package.metadata["Name"]).lower()
        if (name, package.version) in packages:
            number += 1
            expression = licence(package.metadata)
            if name not in LOOKED_AT and not is_accepted(expression):
                refused.append(f"{name} {package.version}: {expression or 'no licence'}")
    assert number > 50
    assert refused == [], "accept a licence, or say why a package is, in this file; or leave it out"


def test_packages_that_were_looked_at_are_in_a_lock():
    assert LOOKED_AT.keys() <= {name for name, _ in locked()}


@pytest.mark.parametrize(
    ("fields", "is_fine"),
    [
        ([("License-Expression", "BSD-3-Clause AND MIT")], True),
        ([("License-Expression", "GPL-3.0-only OR MIT")], True),
        ([("License-Expression", "GPL-3.0-only AND MIT")], False),
        ([("License-Expression", "AGPL-3.0-or-later")], False),
        ([("Classifier", "License :: OSI Approved :: MIT License")], True),
        (
            [
                ("Classifier", "License :: OSI Approved :: MIT License"),
                ("Classifier", "License :: OSI Approved :: GNU General Public License (GPL)"),
            ],
            False,
        ),
        ([("Classifier", "License :: OSI Approved"), ("License", "BSD")], True),
        ([("Classifier", "Topic :: Scientific/Engineering")], False),
        ([("License", "Proprietary")], False),
    ],
)
def test_licences_of_metadata(fields, is_fine):
    package = Message()
    for name, value in fields:
        package[name] = value
    assert is_accepted(licence(package)) == is_fine
