"""What Snakemake's summary says of outputs, in words."""

from pathlib import Path

from tilewise.verify.outputs import FOREIGN, MISSING, STALE, compare

SUMMARY = """output_file\trule\tstatus\tplan
results/a.tsv\tfirst\tok\tno update
results/b.tsv\tfirst\tupdated input files\tupdate pending
results/c.tsv\tsecond\tok\tupdate pending
results/d.tsv\tthird\tmissing\tupdate pending
logs/e.log\tthird\tmissing\tupdate pending
"""


def test_reasons_say_why_an_output_is_made_again():
    there = [Path(name) for name in ("a.tsv", "b.tsv", "c.tsv", "mine.txt")]
    assert compare(SUMMARY, there) == [
        (STALE, Path("b.tsv"), "updated input files"),
        (STALE, Path("c.tsv"), "what it is made from is out of date"),
        (MISSING, Path("d.tsv"), "rule third makes it"),
        (FOREIGN, Path("mine.txt"), "it is no result"),
    ]
