"""The text that lies beside tiles to paint: what to do in which program, and how to use it."""

from collections.abc import Collection, Mapping
from pathlib import Path

from tilewise.read.painted import BACKGROUND, FIRST_LABEL, FOREGROUND, UNKNOWN
from tilewise.tables import TRAIN

TEXT = f"""\
TILES TO PAINT

For each tile, the folder of its sample has
  TILE_image.png   what to look at: the tile, and some of the image around it
  TILE_mask.tif    what to paint in, and to save under this name
  TILE_values.tif  of images that have not 8 bits, the same pixels with their own values
  windows.tsv      where the tiles lie; the sample sheet names this table

What to paint in TILE_mask.tif
  black, {BACKGROUND}      background
  white, {FOREGROUND}    foreground; {FIRST_LABEL}, the first label of napari, is foreground too
  grey, {UNKNOWN}     not annotated, also where you cannot tell; it becomes 255 in the label `truth`
The grey frame lies around the tile: nothing in it is read, whatever is painted there. Keep the size
of the file, and paint hard edges, since soft ones have other greys, which are refused. The file may
become RGB, or have a palette, transparency, or 16 or 32 bits.

napari
  1. Open TILE_image.png and TILE_mask.tif. Right-click the mask in the list: Convert to Labels.
  2. Lower its opacity. Paint with label {FOREGROUND}, {BACKGROUND} (which erases) or {UNKNOWN}.
  3. File > Save Selected Layers..., as TILE_mask.tif.

Fiji
  1. Open both. In the mask's window: Image > Overlay > Add Image..., TILE_image.png, opacity 50.
  2. Paint with the Paintbrush Tool, in white or black (double-click the Color Picker).
  3. Image > Overlay > Remove Overlay, then File > Save.

GIMP
  1. Open TILE_mask.tif; of an image in colour, choose Image > Mode > RGB. File > Open as Layers...,
     TILE_image.png, and lower the opacity of that layer.
  2. Select the layer of the mask, and paint with the Pencil, not the Paintbrush.
  3. Delete the layer of the image. File > Overwrite TILE_mask.tif.

How to use it
  Name the tables in the column `truth` of the sample sheet, each in the row of its sample. Paths in
  the sheet are relative to it; these are relative to the folder where this was written:
{{cells}}
  Where the cell names truth already, add ` + ` and the table behind it, so that both count: entries
  with ` + ` between belong together. Add the tables of later folders in the same way.
  Then run snakemake again: it runs what follows from these tiles, and nothing else.

  A mask that nobody has painted in is no truth, and a warning says so: you can run with those that
  are ready. Where a mask is right as it is, write yes in the column `accepted` of windows.tsv. To
  leave a tile out for good, delete its line.

{{masks}}
{{picked}}
  Nothing changes this folder later. You may move it as a whole, beside your images say. As long as
  it lies in the results, whoever deletes these deletes it, too.
"""
HARD = """\
  The tiles were picked as they look hard. With the purpose `train` they choose parameters and score
  no method, since scores on them would be too low.
"""
RANDOM = """\
  The tiles were drawn at random, each with the probability `pi`: scores are right once all of them
  are painted. A second draw changes the `pi` of both: see "How tiles were picked" in
  docs/validation.md.
"""
OTHERS = """\
  How the tiles were picked is not known. Unless they may score methods as they are, say it in the
  columns `purpose` and `pi` of windows.tsv.
"""
CAUTION = """\
  Whoever begins with the mask of a method tends to agree with it: look at every edge. To score that
  method, begin without a mask (--empty).
"""
MASKS = {"segmentation": "that of the method that was decided on", "empty": "background alone"}


def instructions(
    tables: Mapping[str, Path],
    masks: Mapping[str, int],
    purposes: Collection[str],
    is_random: bool,
) -> str:
    """The text, for tables of windows by sample.

    `masks` says how many tiles begin with which mask, `purposes` what tiles are for, and
    `is_random` that they were drawn with a known probability.
    """
    begun = [
        f"    {number}: {MASKS.get(name, f'that of {name}')}" for name, number in masks.items()
    ]
    caution = [CAUTION] if set(masks) - {"empty"} else [""]
    return TEXT.format(
        cells="\n".join(f"    {sample}: {path.as_posix()}" for sample, path in tables.items()),
        masks="\n".join(["  Masks to begin with:", *begun, *caution]),
        picked=RANDOM if is_random else HARD if set(purposes) == {TRAIN} else OTHERS,
    )
