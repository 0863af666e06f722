"""Render a phantom and its truth, plane by plane."""

import logging

import numpy as np
from tifffile import TiffWriter

from tilewise import job
from tilewise.demo.phantom import render

job.start(snakemake)
settings = snakemake.params.settings
planes, rows, columns = shape = tuple(settings["shape"])
# classic TIFF ends at 4 GB
large = planes * rows * columns > 2**32 - 2**24
with (
    TiffWriter(snakemake.output.image, bigtiff=large) as image_file,
    TiffWriter(snakemake.output.truth, bigtiff=large) as truth_file,
):
    for z in range(planes):
        image = np.empty((rows, columns), np.uint8)
        truth = np.empty((rows, columns), np.uint8)
        for y in range(0, rows, 512):
            strip = slice(y, min(y + 512, rows))
            image[strip], truth[strip] = render(shape, settings["seed"], z, y, strip.stop)
        image_file.write(image, metadata=None)
        truth_file.write(truth, metadata=None)
        logging.info("plane %d of %d", z + 1, planes)
