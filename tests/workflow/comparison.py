"""Compare two folders of results value by value: arrays, tables, pictures and texts.

    python tests/workflow/comparison.py OLD NEW          # exit status 1 where they differ
    python tests/workflow/comparison.py --freeze RESULTS FILE

OLD and NEW are folders of results or files that `--freeze` has made, which hold tables and texts
whole and digests of all pixels. How files are compressed and cut into blocks does not count, nor do
figures, the report and the metadata of labels. Of a stack of several samples, what each sample has
is compared with what it has alone.
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
INTERMEDIATE = ("votes", "quality", "survey", "filtered", "external", "sources", "masks")
"""Folders whose content shows in other files: compared where both sides have it."""
FOLDED = ("threshold.tsv", "quality.tsv")
"""Tables of a sample that other tables repeat, likewise."""
IGNORED = (
    *("figures", "report", "report.html", "stacks.tsv", "warnings.tsv", "folds.tsv"),
    *("annotate_random.tsv", "quantities", "costs.tsv", "units.tsv"),
    *("provenance.json", "run.js", "checksums.tsv", "workflow", "ro-crate-metadata.json"),
)
"""Results that are pictures, or that have come later."""
PASSED_OVER = ("histograms", "agreement", "annotators", "checks", "made_from", "cost")
"""Folders of a stack whose content is in tables of all samples, or says what was read or spent."""
OF_SAMPLES = ("agreement.tsv", "annotators.tsv")
"""Such tables that each sample has had for itself."""
OVERLAY = re.compile(r"(.+)_(z\d+_y\d+_x\d+\.png)")
BLOCK = ("0", "0", "0")
"""The only one of a sample of a shared stack."""
SEPARATORS = re.compile(r"""([\s,:;%|"'()[\]{}]+)""")
"""What stands between the numbers of tables, of JSON and of prose."""


RENAMED = (
    ("\tvariant\tlevel\tunit\t", "\tvariant\tunit_kind\tunit\t"),
    ("\tstack\t", "\tsample\t"),
)
"""Words of texts and tables that versions before have had: old and new."""

ADDED = (
    *("height", "width", "slivers", "blank_truth", "blank_mask", "mean_without_blank"),
    *("p_best", "pairs", "edge", "guard", "difference", "left_empty", "left_empty_with_truth"),
    *("purpose", "z", "y", "x", "inside"),
)
"""Columns that tables of versions before have not had: passed over where the old side has none."""


def _renamed(value):
    """Lines with the words of today."""
    if not isinstance(value, list) or not all(isinstance(line, str) for line in value):
        return value
    for old, new in RENAMED:
        value = [line.replace(old, new) for line in value]
    return value


def read(path):
    """Values of a folder of results, or of a frozen one, by their name."""
    path = Path(path)
    if path.is_file():
        frozen = json.loads(lzma.decompress(path.read_bytes()))
        return {name: _renamed(value) for name, value in frozen.items()}
    return {name: _renamed(value) for name, value in _values(path)}


def _values(folder):
    import zarr
    from PIL import Image

    arrays = sorted(
        path.parent
        for path in folder.rglob("zarr.json")
        if json.loads(path.read_text())["node_type"] == "array"
    )
    views, stored = _views(folder), set(arrays)
    for array in arrays:
        pixels = zarr.open_array(array, mode="r")[:]
        yield from _cut(array.relative_to(folder), pixels, views)
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        is_passed_over = bool(set(PASSED_OVER) & set(name.parts[:-1]))
        is_within = not stored.isdisjoint(path.parents)
        # the windows of images are in their zarr.json, too
        is_passed_over |= path.name in ("guard.json", "contrast.json")
        if path.is_dir() or str(name).startswith(IGNORED) or is_passed_over or is_within:
            continue
        if path.suffix == ".tsv":
            yield from _tables(name, path.read_text().splitlines(), views)
        elif path.name == "zarr.json":
            if "labels" not in name.parts and name.parts[0] not in views:
                yield str(name), json.loads(path.read_text())["attributes"]
        elif path.suffix in TEXTS:
            yield str(name), _without_later_lines(path)
        elif path.suffix == ".png":
            yield _name_of_picture(name, views), _digest(np.asarray(Image.open(path)))
        elif path.suffix == ".npy":
            yield str(name), {"": _digest(np.load(path))}
        elif path.suffix == ".npz" and path.parent.name == "consensus":
            for sample, table in np.load(path).items():
                yield f"{sample.removesuffix('.table')}/consensus.npy", {"": _digest(table)}
        elif path.suffix == ".npz":
            yield str(name), {key: _digest(array) for key, array in np.load(path).items()}


def _without_later_lines(path):
    """Lines of a text, without those that decisions have had later."""
    text = path.read_text()
    if path.name == "decision.json":
        record = json.loads(text)
        record.pop("warnings", None)
        text = json.dumps(record, indent=1)
    if path.name == "decision.md":
        text = re.sub(r"\n## What could mislead\n\n(- .*\n)*", "", text)
    return text.splitlines()


def _views(folder):
    """Samples of each shared stack: name, first plane and size of each."""
    path, views = folder / "stacks.tsv", {}
    if path.exists():
        header, *lines = (line.split("\t") for line in path.read_text().splitlines())
        for line in lines:
            row = dict(zip(header, line, strict=True))
            if row["stack"] != row["sample"]:
                size = (int(row[name]) for name in ("first_plane", "planes", "height", "width"))
                views.setdefault(row["stack"], []).append((row["sample"], *size))
    return views


def _cut(name, pixels, views):
    """An array, or that of each sample of a shared stack, and what lies beyond all of them."""
    stack, *rest = name.parts
    if stack not in views:
        yield str(name), _digest(pixels)
        return
    level = 0 if rest[0] in ("filtered", "external") else int(rest[-1])
    fill, beyond = _fill(name), pixels.copy()
    for sample, first, planes, height, width in views[stack]:
        rows, columns = -(-height // 2**level), -(-width // 2**level)
        own = np.s_[..., first : first + planes, :rows, :columns]
        yield str(Path(sample, *rest)), _digest(pixels[own])
        beyond[own] = fill
    if (beyond != fill).any():
        yield f"{name}, beyond its samples", _digest(beyond)


def _fill(name):
    """Value of an array where nothing is stored."""
    label = Path(name).parts[-2]
    return 255 if label == "truth" or label.startswith("annotator-") else 0


def _tables(name, lines, views):
    """A table, or that of each sample of a shared stack."""
    stack, *rest = name.parts
    if stack not in views and str(name) not in OF_SAMPLES:
        yield str(name), lines
        return
    header, *rows = lines
    column, by_sample = header.split("\t").index("sample"), {}
    for row in rows:
        by_sample.setdefault(row.split("\t")[column], []).append(row)
    for sample, own in by_sample.items():
        if stack not in views:
            own_name = [str(name)]
        elif rest[-2] == "structure":
            tile = header.split("\t").index("tile")
            own_name = [
                *rest[:-1],
                "stack.tsv" if own[0].split("\t")[tile] == "sample" else "0.tsv",
            ]
        else:
            own_name = [*rest[:-3], *BLOCK[:-1], f"{BLOCK[-1]}.tsv"]
        yield str(Path(sample, *own_name)), [header, *own]


def _name_of_picture(name, views):
    """An overlay has its sample in its name, and in its path if it is alone."""
    match = OVERLAY.fullmatch(name.name)
    if "overlay" not in name.parts or not match:
        return str(name)
    stack, *rest = name.parts[:-1]
    sample, tile = match.groups()
    return str(Path(sample, *rest[:-3], *(BLOCK if stack in views else rest[-3:]), tile))


def _digest(pixels):
    digest = hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()
    return [list(pixels.shape), pixels.dtype.name, digest]


def _is_optional(name, value):
    """Whether a name that one side alone has is no difference."""
    parts = Path(name).parts
    if len(parts) > 1 and (set(parts[:2]) & set(INTERMEDIATE) or parts[-1] in FOLDED):
        return True
    if name.endswith("zarr.json"):
        return "labels" not in parts
    if name.endswith(".tsv"):
        return len(value) == 1
    # nothing is stored where there is nothing but the fill value
    if isinstance(value, list) and ".zarr" in name:
        shape, dtype, _ = value
        return value == _digest(np.full(shape, _fill(name), dtype))
    return False


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
        if set(PASSED_OVER) & set(Path(name).parts[:-1]):
            continue
        if name not in old or name not in new:
            if not _is_optional(name, old.get(name, new.get(name))):
                found.append(f"{name}: only in the {'old' if name in old else 'new'} results")
        elif old[name] != new[name]:
            is_text = name.endswith((".tsv", *TEXTS)) and isinstance(old[name], list)
            found += (
                _different_lines(name, old[name], _without_added(name, old, new), tolerance)
                if is_text
                else [f"{name}: {old[name]} became {new[name]}"]
            )
    return found


def _without_added(name, old, new):
    """A new text, or a table without the columns `ADDED` that the old one does not have."""
    if not name.endswith(".tsv"):
        return new[name]
    rows, known = [line.split("\t") for line in new[name]], old[name][0].split("\t")
    added = {i for i, column in enumerate(rows[0]) if column in ADDED and column not in known}
    return ["\t".join(cell for i, cell in enumerate(row) if i not in added) for row in rows]


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
