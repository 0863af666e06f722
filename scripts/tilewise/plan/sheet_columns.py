"""The columns of a sample sheet: which have a meaning, and which cannot be metadata."""

import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from tilewise.plan.sampling import SAMPLING
from tilewise.plan.sheet_table import TableRow, bare, resembled
from tilewise.score.formulas import CHOICES
from tilewise.score.score_table import ADDED, columns

NEEDED = ("sample", "image")
SHEET_COLUMNS = (
    *(*NEEDED, "truth", "roi", "channel", "truth_foreground", "pixel_size"),
    *SAMPLING,
)
"""Those with a meaning; others are kept as metadata."""
GROUP = "group"
"""Of the metadata, what makes samples depend on each other."""
NAMES_OF_NEEDED = {
    "sample": ("name", "id", "sample_id", "sample_name", "image_id"),
    "image": ("file", "file_name", "file_path", "path", "img", "picture"),
}
"""What people call these columns; where they have them, the names may be of metadata."""
NAMES_OF_SAMPLING = {
    "pi": ("inclusion_probability", "sampling_probability", "probability"),
}
OTHER_NAMES = {
    "truth": (
        *("mask", "masks", "label", "labels", "annotation", "annotations"),
        *("ground_truth", "gold_standard", "gt"),
    ),
    "roi": ("mask", "masks", "region_of_interest"),
    "truth_foreground": ("foreground",),
    "pixel_size": ("voxel_size", "pixel_spacing", "mpp"),
    **NAMES_OF_SAMPLING,
}
"""What people call the others; not what is common for metadata, as `patient` is."""
NAMES_OF_FILES = {
    "truth": ("segmentation", "reference", "target", "manual", "expert", "tracing"),
    "roi": ("fov", "field_of_view", "region", "area"),
}
"""What is common for metadata, and for these columns if it names files."""
NAMES_OF_GROUPS = (
    *("patient", "animal", "mouse", "rat", "fish", "larva", "embryo", "donor", "subject"),
    *("specimen", "individual", "participant", "person", "litter"),
)
"""What is common for metadata, and for `group` if several samples share a value."""
COMPUTED = tuple(name for name in (*columns(CHOICES), *ADDED) if name != "sample")
"""Columns of `metrics.tsv`, to which metadata are added, with any configuration."""


def check_columns(
    path: Path, rows: Sequence[TableRow], named: Collection[str], external: Collection[str] = ()
) -> list[str]:
    """Check the columns of metadata of a sheet, and give those that name files all the same.

    `named` are files that the configuration names, `external` columns of masks that it names.
    ValueError if a column is one of the results, or may be meant for one with a meaning.
    """
    for column in external:
        if column in (*SHEET_COLUMNS, GROUP):
            raise ValueError(
                f"external: the column `{column}` has another meaning: name masks in another one"
            )
    naming_files: list[str] = []
    # what is made of the name `sample` is common for metadata, and no sheet lacks the column itself
    known = [column for column in (*SHEET_COLUMNS, GROUP) if column != "sample"]
    for column in rows[0].cells:
        if column in (*SHEET_COLUMNS, GROUP, *external):
            continue
        place = f"sample sheet {path}: the column `{column}`"
        if column.casefold() in COMPUTED:
            raise ValueError(
                f"{place} has the name of a result: rename it, to none of {', '.join(COMPUTED)}"
            )
        meant = resembled(column, known, OTHER_NAMES)
        if any(_is_file(row[column], path.parent, named) for _, row in rows):
            meant = meant or resembled(column, list(NAMES_OF_FILES), NAMES_OF_FILES)
            naming_files.append(column)
        if meant:
            names = " or ".join(f"`{name}`" for name in meant)
            raise ValueError(f"{place} is not known: name it {names}; metadata, in another way")
    return naming_files


def shared_values(rows: Sequence[TableRow]) -> Iterator[tuple[str, str, list[str]]]:
    """Columns by which samples with truth may belong together, if the sheet has no groups.

    Of each a value that several of them have, and these samples.
    """
    traced = [row for _, row in rows if row.get("truth")]
    if any(row.get(GROUP) for row in traced):
        return
    names = {bare(name + end) for name in NAMES_OF_GROUPS for end in ("", "s", "id", "number")}
    for column in rows[0].cells:
        if bare(column) in names:
            of_value: dict[str, list[str]] = {}
            for row in traced:
                of_value.setdefault(row[column], []).append(row["sample"])
            for value, samples in of_value.items():
                if value and len(samples) > 1:
                    yield column, value, samples
                    break


def _is_file(cell: str, folder: Path, named: Collection[str]) -> bool:
    """Whether a cell of metadata names a file."""
    # os.path.exists is False for text that is too long to be a path
    return cell in named or ("." in cell and os.path.exists(os.path.join(folder, cell)))
