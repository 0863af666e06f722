"""Tables as tab-separated text: the same rows give the same bytes."""

import csv


def write_rows(path, columns, rows):
    """Write a table.

    Parameters
    ----------
    path : path
    columns : sequence of str
        Header and order of the columns.
    rows : iterable of dict
        None becomes an empty field; a float keeps every digit that tells it from its neighbours.
    """
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_rows(path):
    """Read a table.

    Returns
    -------
    list of dict of str to str
        Empty lines and lines that start with `#` are passed over.
    """
    with open(path, encoding="utf-8-sig", newline="") as file:
        lines = (line for line in file if line.strip() and not line.startswith("#"))
        return list(csv.DictReader(lines, delimiter="\t"))


def read_all(paths, samples):
    """Rows of several tables, sample by sample.

    Parameters
    ----------
    paths : iterable of path
    samples : iterable of str
        In the order of the sheet; rows of a sample stay in the order of the tables.

    Returns
    -------
    list of dict of str to str
    """
    number = {sample: i for i, sample in enumerate(samples)}
    rows = [row for path in paths for row in read_rows(path)]
    return sorted(rows, key=lambda row: number[row["sample"]])
