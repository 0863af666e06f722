"""Compare two folders of results value by value: arrays, tables, pictures and texts.

    python tests/workflow/comparison.py OLD NEW          # exit status 1 where they differ
    python tests/workflow/comparison.py --freeze RESULTS FILE

OLD and NEW are folders of results or files that `--freeze` has made, which hold tables and texts
whole and digests of all pixels. How files are compressed and cut into blocks does not count, nor do
figures, the report and the metadata of labels.
"""

import argparse
import hashlib
import json
import lzma
import math
import re
import sys
from pathlib import Path

import numpy as np

TEXTS = (".md", ".json")
INTERMEDIATE = ("histograms", "votes", "quality", "survey", "filtered", "sources")
"""Folders of a sample whose content shows in other tables: compared where both sides have it."""
FOLDED = ("threshold.tsv", "quality.tsv")
"""Tables of a sample that other tables repeat, likewise."""
IGNORED = ("figures", "report.html")
SEPARATORS = re.compile(r"""([\s,:;%|"'()[\]{}]+)""")
"""What stands between the numbers of tables, of JSON and of prose."""


def read(path):
    """Values of a folder of results, or of a frozen one, by their name."""
    path = Path(path)
    if path.is_file():
        return json.loads(lzma.open(path, "rt").read())
    return dict(_values(path))


def _values(folder):
    import zarr

    arrays = sorted(
        path.parent
        for path in folder.rglob("zarr.json")
        if json.loads(path.read_text())["node_type"] == "array"
    )
    for array in arrays:
        pixels = zarr.open_array(array, mode="r")[:]
        yield str(array.relative_to(folder)), _digest(pixels)
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_dir() or name.startswith(IGNORED) or any(a in path.parents for a in arrays):
            continue
        if path.suffix == ".tsv":
            yield name, path.read_text().splitlines()
        elif path.name == "zarr.json":
            if "labels" not in path.parts:
                yield name, json.loads(path.read_text())["attributes"]
        elif path.suffix in TEXTS:
            yield name, path.read_text().splitlines()
        elif path.suffix == ".png":
            from PIL import Image

            yield name, _digest(np.asarray(Image.open(path)))
        elif path.suffix in (".npy", ".npz"):
            packed = np.load(path)
            parts = packed if path.suffix == ".npz" else {"": packed}
            yield name, {part: _digest(parts[part]) for part in sorted(parts)}


def _digest(pixels):
    digest = hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()
    return [list(pixels.shape), pixels.dtype.name, digest]


def _is_optional(name):
    parts = Path(name).parts
    return len(parts) > 1 and (
        parts[1] in INTERMEDIATE or parts[0] in INTERMEDIATE or parts[-1] in FOLDED
    )


def differences(old, new, tolerance=0.0):
    """What two results have of different values, a line each; none if they are equal.

    Parameters
    ----------
    old, new : dict
        As from `read`.
    tolerance : float
        Relative difference of numbers in tables and texts that counts as equal: sums in another
        order, as by another processor's BLAS, differ in the last bits.
    """
    found = []
    for name in sorted(old.keys() | new.keys()):
        if name not in old or name not in new:
            if not _is_optional(name):
                found.append(f"{name}: only in the {'old' if name in old else 'new'} results")
        elif old[name] != new[name]:
            is_text = name.endswith((".tsv", *TEXTS)) and isinstance(old[name], list)
            found += (
                _different_lines(name, old[name], new[name], tolerance)
                if is_text
                else [f"{name}: {old[name]} became {new[name]}"]
            )
    return found


def _different_lines(name, old, new, tolerance):
    if len(old) != len(new):
        return [f"{name}: {len(old)} lines became {len(new)}"]
    return [
        f"{name}: line {number}: {a} became {b}"
        for number, (a, b) in enumerate(zip(old, new, strict=True), 1)
        if not _is_equal(a, b, tolerance)
    ]


def _is_equal(a, b, tolerance):
    if a == b or not tolerance:
        return a == b
    words = [SEPARATORS.split(line) for line in (a, b)]
    if len(words[0]) != len(words[1]):
        return False
    return all(_is_near(x, y, tolerance) for x, y in zip(*words, strict=True))


def _is_near(a, b, tolerance):
    if a == b:
        return True
    try:
        return math.isclose(float(a), float(b), rel_tol=tolerance, abs_tol=tolerance)
    except ValueError:
        return False


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--freeze", action="store_true", help="write the values of OLD to NEW")
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    arguments = parser.parse_args()
    old = read(arguments.old)
    if arguments.freeze:
        with lzma.open(arguments.new, "wt") as file:
            json.dump(old, file, sort_keys=True)
        return 0
    new = read(arguments.new)
    found = differences(old, new)
    for line in found[:50]:
        print(line)
    print(f"{len(found)} differences; {len(old.keys() & new.keys())} files and arrays compared")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
