"""Read a block's planes, strip by strip, and store them as tiles; a colour image twice."""

from contextlib import ExitStack
from threading import Lock

from tilewise import job
from tilewise.read.image_check import COLUMNS, ImageCheck
from tilewise.read.sources import Planes, record, write
from tilewise.read.stack import open_stack
from tilewise.store.blocks import each_strip, strips
from tilewise.store.layout import layout_of
from tilewise.store.parts import each_part, parts_of
from tilewise.store.pyramid import LevelsWriter, mean
from tilewise.tables import write_rows

job.start(snakemake)
output, params, threads = snakemake.output, snakemake.params, snakemake.threads
given = snakemake.input.images
parts, block = parts_of(params.parts), snakemake.wildcards.block
color_paths = output.get("color")


def writer(paths, channels=1):
    layout = layout_of(parts[0].grid, params.dtype, channels=channels)
    return files.enter_context(LevelsWriter(paths, block, layout, parts, mean, threads))


def store(part, threads):
    """Bring the planes of a sample in, and give the row of its check."""
    settings, reading = part.settings, Lock()
    paths = given[slice(*settings["files"])]
    first = part.grid.region(part.block).z0 - settings["first_plane"]
    check = ImageCheck(*part.grid.shape[1:])
    with open_stack(paths, settings["channel"]) as planes:
        planes.check(*part.grid.shape[1:], params.dtype)

        def work(strip):
            z, columns = strip.z0 - first, slice(strip.x0, strip.x1)
            # decoders keep a plane; compressing takes longer than reading
            with reading:
                rows = planes.rows(z, strip.y0, strip.y1)[:, columns]
                check.add(strip, rows)
                if color_paths:
                    colors = planes.color_rows(z, strip.y0, strip.y1)[..., columns]
            image.write(part, strip, rows)
            if color_paths:
                color.write(part, strip, colors)

        each_strip(work, strips(part.grid, part.block), threads)
    return check.row(part.sample)


sources = [Planes(path, *place) for path, place in zip(given, params.planes, strict=True)]
records = record(sources)
with ExitStack() as files:
    image = writer(output.image)
    if color_paths:
        color = writer(color_paths, channels=3)
    rows = each_part(store, parts, threads)
write_rows(output.checks, COLUMNS, rows)
write(output.made_from, records, params.revision)
