"""Write tiles to paint in, to annotate them: `results/annotate/`.

    python scripts/annotate.py [--random] [--number N] [--context PX] [--results DIR]

It reads results, which may be copied from elsewhere, and writes a new folder each time: images,
masks to begin with, and tables of windows that the sample sheet may name. No job runs this.
"""

import argparse
import re
import sys
from pathlib import Path

from tilewise.annotate import folder
from tilewise.annotate.instructions import MASKS
from tilewise.annotate.results import Results
from tilewise.annotate.tiles import read_tiles

NEXT, RANDOM = "annotate_next.tsv", "annotate_random.tsv"
CONTEXT = 64
KIND = re.compile(r"(annotate_)?([A-Za-z0-9_.-]*)")


def at_least(least):
    """What reads a whole number of an option."""

    def read(text):
        number = int(text)
        if number < least:
            raise argparse.ArgumentTypeError(f"{text} is less than {least}")
        return number

    read.__name__ = "whole number"
    return read


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--tiles", type=Path, help=f"a table of tiles; by default, {NEXT} there")
    which.add_argument("--random", action="store_true", help=f"the tiles of {RANDOM}, for scores")
    parser.add_argument("--results", type=Path, default=Path("results"), help="of a run")
    parser.add_argument("--output", type=Path, help="where folders go; by default, annotate there")
    parser.add_argument("--number", type=at_least(1), help="of tiles per sample; by default, all")
    parser.add_argument("--context", type=at_least(0), default=CONTEXT, help="pixels around a tile")
    parser.add_argument("--empty", action="store_true", help="masks begin without foreground")
    return parser.parse_args()


def main():
    arguments = parse()
    results = Results(arguments.results)
    table = arguments.tiles or arguments.results / (RANDOM if arguments.random else NEXT)
    tiles = read_tiles(table, results, arguments.number)
    parent = arguments.output or arguments.results / "annotate"
    kind = KIND.match(table.stem)[2] or "tiles"
    written = folder.write(results, tiles, parent, kind, arguments.context, arguments.empty)
    print(f"{len(tiles)} tiles to paint are in {written.folder}; README.txt there says how.")
    for mask, number in written.masks.items():
        is_missing = mask == folder.EMPTY and not arguments.empty
        why = ", since no method has segmented these tiles" if is_missing else ""
        print(f"  {number}: the mask begins with {MASKS.get(mask, f'that of {mask}')}{why}")
    print("Once they are painted, name these tables in the column `truth` of the sample sheet:")
    for sample, path in written.tables.items():
        print(f"  {sample}: {path}")
    print("Where a cell names truth already, add ` + ` and the table behind it.")


if __name__ == "__main__":
    try:
        main()
    except ValueError as error:
        sys.exit(f"annotate.py: {error}")
