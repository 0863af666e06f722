"""Show results in the browser: image, masks, truth and errors, with deep zoom, of any size.

    python scripts/view.py [RESULTS] [--sample S] [--tile z0003_y01_x07] [--method M]

It serves one folder of results on this machine alone, reads what is there and changes nothing.

For results on another machine, start it there with `--no-browser --port 8010`, connect to it from
here by `ssh -L 8010:127.0.0.1:8010 user@machine`, and open here the address that it prints there.
The port has to be the same on both sides.
"""

import argparse
import os
import re
import sys
import webbrowser
from pathlib import Path
from urllib.parse import urlencode

from tilewise.serve import contents
from tilewise.serve.server import Server
from tilewise.store.grid import Tile

TILE = re.compile(r"z(\d{4,})_y(\d{2,})_x(\d{2,})")


def port(text):
    """A port that needs no special rights; 0 is any that is free."""
    number = int(text)
    if number and not 1024 <= number <= 65535:
        raise argparse.ArgumentTypeError("a port is from 1024 to 65535")
    return number


def parse():
    """The arguments of the command."""
    about, _, details = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        description=about,
        epilog=details.partition("\n\n")[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    folder = {"nargs": "?", "type": Path, "default": Path("results")}
    parser.add_argument("results", **folder, help="folder of the results; by default, results")
    parser.add_argument("--sample", help="that is shown first")
    parser.add_argument("--tile", help="that is shown first, as z0003_y01_x07; of --sample")
    parser.add_argument("--method", help="whose errors, or masks, are shown first")
    parser.add_argument("--port", type=port, default=0, help="by default, any that is free")
    parser.add_argument("--no-browser", action="store_true", help="print the address alone")
    return parser.parse_args()


def start_of(arguments, results):
    """What the page shows first, as the last part of its address."""
    samples = {row["sample"]: row for row in contents.samples_of(results)}
    sample, tile, method = arguments.sample, arguments.tile, arguments.method
    if sample and sample not in samples:
        sys.exit(f"There is no sample {sample}: name one of {', '.join(samples)}")
    if tile:
        sample = sample or next(iter(samples))
        check_tile(tile, samples[sample])
    if method:
        stacks = contents.of_results(results)["stacks"].values()
        methods = dict.fromkeys(layer["method"] for stack in stacks for layer in stack["layers"])
        if method not in methods:
            known = ", ".join(filter(None, methods))
            sys.exit(f"There is no mask by {method}: name one of {known}")
    shown = {"sample": sample, "tile": tile, "method": method}
    return urlencode({name: value for name, value in shown.items() if value})


def check_tile(name, sample):
    """A message where a sample has no tile of this name."""
    rows, columns = (-(-sample[side] // sample[f"tile_{side}"]) for side in ("height", "width"))
    along = sample["planes"], rows, columns
    match = TILE.fullmatch(name)
    if not match or any(
        int(own) >= number for own, number in zip(match.groups(), along, strict=True)
    ):
        last = Tile(*(number - 1 for number in along)).name
        sys.exit(f"{sample['sample']} has no tile {name}: its tiles are z0000_y00_x00 to {last}")


def has_screen():
    """Whether a browser can open a window here."""
    is_desktop = sys.platform in ("darwin", "win32")
    return is_desktop or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def main():
    arguments = parse()
    try:
        start = start_of(arguments, arguments.results.resolve())
    except ValueError as error:
        sys.exit(str(error))
    try:
        server = Server(arguments.results, arguments.port)
    except OSError as error:
        sys.exit(f"Port {arguments.port} cannot be used ({error.strerror}): choose another --port")
    fragment = f"#{start}" if start else ""
    print(f"{arguments.results} is shown at {server.address(server.token)}{fragment}")
    print("Ctrl-C ends it.", flush=True)
    if has_screen() and not arguments.no_browser:
        webbrowser.open(server.address(server.single_token()) + fragment)
    with server:
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
