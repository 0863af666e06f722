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
job.limit_memory(snakemake)
output, params, threads = snakemake.output, snakemake.params, snakemake.threads
given = snakemake.input.images
parts, block = parts_of(params.parts), snakemake.wildcards.block


def store(part, threads):
    """Bring the planes of a sample in, and give the row of its check."""
    settings, reading = part.settings, Lock()
    paths = given[slice(*settings["files"])]
    first = part.grid.region(part.block).z0 - settings["first_plane"]
    check = ImageCheck(*part.grid.shape[1:])
    with open_stack(paths, settings["channel"]) as planes:
        planes.check(*part.grid.shape[1:], params.dtype)
        readers = (planes.rows, planes.color_rows)[: len(writers)]

        def work(strip):
            rows, columns = (strip.z0 - first, strip.y0, strip.y1), slice(strip.x0, strip.x1)
            # decoders keep a plane; compressing takes longer than reading
            with reading:
                pixels = [read(*rows)[..., columns] for read in readers]
                check.add(strip, pixels[0])
            for writer, own in zip(writers, pixels, strict=True):
                writer.write(part, strip, own)

        each_strip(work, strips(part.grid, part.block), threads)
    return check.row(part.sample)


sources = [Planes(path, *place) for path, place in zip(given, params.planes, strict=True)]
records = record(sources)
with ExitStack() as files:
    writers = []
    for paths, channels in ((output.image, 1), (output.get("color"), 3)):
        if paths:
            layout = layout_of(parts[0].grid, params.dtype, channels=channels)
            writer = LevelsWriter(paths, block, layout, parts, mean, threads)
            writers.append(files.enter_context(writer))
    rows = each_part(store, parts, threads)
write_rows(output.checks, COLUMNS, rows)
write(output.made_from, records, params.revision)
