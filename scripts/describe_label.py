"""Write the metadata of a label image."""

from tilewise import job
from tilewise.labels import FN, FP, TN, TP
from tilewise.score.error_kinds import error_colors
from tilewise.store import ngff
from tilewise.store.grid import grid_of
from tilewise.store.layout import layout_of

job.start(snakemake)
output, params, label = snakemake.output, snakemake.params, snakemake.wildcards.label
grid = grid_of(params.grid)
opaque, transparent = 255, 0
if label.endswith("-confusion"):
    codes = {"tp": TP, "fp": FP, "fn": FN, "tn": TN}
    colors = {code: (*params.colors[kind], opaque) for kind, code in codes.items()}
    # what is rightly background would hide the image
    colors[TN] = (*params.colors["tn"], transparent)
elif label == "errors":
    colors = error_colors(params.methods)
else:
    colors = {1: (255, 255, 255, opaque)}
fill = params.fill
if fill:
    colors[fill] = (128, 128, 128, transparent)

levels = len(output.arrays) - 1
ngff.write(output.group, ngff.label_group(label, levels, colors, params.pixel_size))
for level, path in enumerate(output.arrays):
    reduced = grid.level(level)
    ngff.write(path, ngff.array(layout_of(reduced, "uint8", fill), reduced.shape, "zyx"))
