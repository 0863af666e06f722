"""Run docs/walkthrough.md: its code, with outputs and pictures written into it anew.

    PYTHONPATH=scripts python docs/walkthrough.py [--quick]

The page is its own source. Blocks of `python` and `sh` are run in order, from the folder of the
repository: those of Python in one session, as a reader would type them. What a block prints stands
in the block of `text` after it. A picture `walkthrough-NAME.png` is what a block wrote as
`results-kesm/NAME.png`, with fewer colours. `--quick` leaves the sections of `SLOW` as they are.
`make walkthrough` calls this.
"""

import contextlib
import io
import re
import subprocess
import sys
from pathlib import Path

from PIL import Image

PAGE = Path(__file__).with_suffix(".md")
WRITTEN = Path("results-kesm")
"""Where blocks write pictures."""
SLOW = ("Decision",)
"""Headings of sections whose commands take minutes."""
COLORS = 96
"""Grey levels or colours of a picture, so that its file is small."""
SECTION = re.compile(r"^## (.+)\n", re.MULTILINE)
BLOCK = re.compile(
    r"^```(?P<language>python|sh)\n(?P<code>.*?)^```\n(?P<output>\n```text\n.*?^```\n)?",
    re.MULTILINE | re.DOTALL,
)
PICTURE = re.compile(r"\]\(walkthrough-([\w-]+)\.png\)")


def sections(text):
    """The text before the first heading, and each section with its heading, by title."""
    before, *rest = SECTION.split(text)
    titled = zip(rest[::2], rest[1::2], strict=True)
    return {"": before} | {title: f"## {title}\n{body}" for title, body in titled}


def run_shell(code):
    """What commands print."""
    done = subprocess.run(["bash", "-ec", code], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}\n{PAGE.name}: exit status {done.returncode} of\n{code}")
    return done.stdout


def run_python(code, names):
    """What lines of Python print, in a session with these names."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(code, PAGE.name, "exec"), names)
    return printed.getvalue()


def rerun(section, names):
    """A section with the outputs that its blocks have now."""

    def anew(block):
        code = block["code"]
        if block["language"] == "python":
            printed = run_python(code, names)
        else:
            printed = run_shell(code)
            # of a command whose output is not shown, it is its progress
            printed = printed if block["output"] else ""
        output = f"\n```text\n{printed.rstrip()}\n```\n" if printed else ""
        return f"```{block['language']}\n{code}```\n{output}"

    return BLOCK.sub(anew, section)


def take_picture(name):
    """Write a picture of the page from what a block wrote."""
    shown = Image.open(WRITTEN / f"{name}.png").convert("RGB")
    few = shown.quantize(COLORS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(PAGE.with_name(f"{PAGE.stem}-{name}.png"), optimize=True)


def main(is_quick):
    """Write page and pictures."""
    parts, names = sections(PAGE.read_text(encoding="utf-8")), {}
    for title, section in parts.items():
        if is_quick and title in SLOW:
            continue
        parts[title] = rerun(section, names)
        for name in PICTURE.findall(section):
            take_picture(name)
    PAGE.write_text("".join(parts.values()), encoding="utf-8")


if __name__ == "__main__":
    main("--quick" in sys.argv[1:])
