"""Other ways to do what the workflow does: invert, median 3, Otsu per tile, mask, validation.

    python benchmarks/contenders.py NAME FOLDER PLANES TILES

FOLDER holds image_0000.tif, truth_0000.tif, ... as written by throughput.py. Each contender reads
them and prints how many pixels it has done.
"""

import math
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path

TILE = 512


def limit(folder, planes, _):
    """One process per core, no intermediate files, no engine: the library's own kernels."""
    with ProcessPoolExecutor(2) as pool:
        return sum(pool.map(_limit_plane, [folder] * planes, range(planes)))


def stored(folder, planes, _):
    """The limit, with image and truth stored as tiles too."""
    with ProcessPoolExecutor(2) as pool:
        return sum(pool.map(_limit_plane, [folder] * planes, range(planes), [True] * planes))


def _limit_plane(folder, z, keeps_input=False):
    import cv2
    import numpy as np

    from tilewise.read.stack import open_stack
    from tilewise.score.confusion import confusion_map
    from tilewise.score.score_table import write_scores
    from tilewise.score.scoring import count_tile
    from tilewise.segment.filters import apply_chain
    from tilewise.segment.segmenters import Segmenter, segment, tile_thresholds
    from tilewise.store.blocks import BlockWriter, strips
    from tilewise.store.grid import Grid, crop
    from tilewise.store.layout import layout_of
    from tilewise.store.parts import Part

    cv2.setNumThreads(1)
    image = open_stack(folder / f"image_{z:04d}.tif")
    truth = open_stack(folder / f"truth_{z:04d}.tif")
    shape = 1, image.header.height, image.header.width
    grid = Grid(shape, TILE, (1, *(-(-size // TILE) * TILE for size in shape[1:])))
    segmenter = Segmenter("otsu", {}, "tile", "bright", 5, 0, "empty", "auto", [])
    part = Part("plane", grid, "0/0/0", 0)
    layout, out, rows = layout_of(grid, "uint8"), folder / "limit", []
    out.mkdir(exist_ok=True)
    with (
        BlockWriter(out / f"mask_{z}", part.block, layout) as masks,
        BlockWriter(out / f"confusion_{z}", part.block, layout) as confusions,
        BlockWriter(out / f"image_{z}", part.block, layout) as images,
        BlockWriter(out / f"truth_{z}", part.block, layout) as truths,
    ):
        for strip in strips(grid, part.block):
            outer = grid.around(strip, 1)
            filtered = apply_chain(
                np.asarray(image.rows(0, outer.y0, outer.y1)), ["invert", {"median": 3}]
            )
            filtered = crop(filtered, outer, strip)
            thresholds = tile_thresholds(filtered, strip, grid, segmenter)
            mask = segment(filtered, strip, grid, segmenter, thresholds)
            masks.write(part, strip, mask)
            known = np.asarray(truth.rows(0, strip.y0, strip.y1))
            if keeps_input:
                images.write(part, strip, np.asarray(image.rows(0, strip.y0, strip.y1)))
                truths.write(part, strip, known)
            for tile in thresholds:
                region = grid.tile_region(tile)
                own = [np.ascontiguousarray(crop(one, strip, region)) for one in (known, mask)]
                codes = confusion_map(*own)
                confusions.write(part, region, codes)
                counts = count_tile(*own, {"metrics": [], "margin": None}, codes)
                rows += [{"tile": tile.name, **fields} for fields in counts]
    write_scores(out / f"rows_{z}.tsv", rows, [])
    return math.prod(shape)


def _tiles(folder, planes, number):
    """So many tiles, from the middle of the planes on."""
    import tifffile

    places = list(product(range(planes), range(6, 12), range(10, 26)))[:number]
    for z, row, column in places:
        window = slice(row * TILE, (row + 1) * TILE), slice(column * TILE, (column + 1) * TILE)
        parts = (
            tifffile.memmap(folder / f"{kind}_{z:04d}.tif")[window] for kind in ("image", "truth")
        )
        yield tuple(part.copy() for part in parts)


def script(folder, planes, tiles):
    """What a competent user writes: SciPy, scikit-image and scikit-learn, joblib on 2 processes."""
    from joblib import Parallel, delayed

    return sum(Parallel(2)(delayed(_script_tile)(*pair) for pair in _tiles(folder, planes, tiles)))


def _script_tile(image, truth):
    from scipy.ndimage import median_filter
    from skimage.filters import threshold_otsu
    from sklearn import metrics

    filtered = median_filter(255 - image, 3)
    mask = filtered > threshold_otsu(filtered)
    known, found = truth.ravel() > 0, mask.ravel()
    metrics.confusion_matrix(known, found)
    metrics.accuracy_score(known, found)
    metrics.f1_score(known, found, zero_division=0)
    metrics.matthews_corrcoef(known, found)
    return image.size


def published(folder, planes, tiles):
    """The published procedure: as the script, on Python lists, one tile after the other."""
    import cv2
    import numpy as np
    from scipy.ndimage import median_filter
    from skimage.filters import threshold_otsu
    from sklearn import metrics

    done = 0
    for image, truth in _tiles(folder, planes, tiles):
        filtered = median_filter(255 - image, 3)
        mask = (filtered > threshold_otsu(filtered)).astype(np.uint8)
        known, found = truth.ravel().tolist(), mask.ravel().tolist()
        metrics.confusion_matrix(known, found)
        metrics.accuracy_score(known, found)
        metrics.f1_score(known, found, zero_division=0)
        metrics.matthews_corrcoef(known, found)
        colors = np.zeros((*image.shape, 3), np.uint8)
        colors[(mask > 0) & (truth > 0)] = 0, 255, 255
        colors[(mask > 0) & (truth == 0)] = 255, 0, 255
        colors[(mask == 0) & (truth > 0)] = 255, 255, 0
        cv2.addWeighted(np.dstack([image] * 3), 0.7, colors, 0.3, 0)
        done += image.size
    return done


def dask(folder, planes, _):
    """dask-image: its median, a threshold from the plane's mean since it has no Otsu, counts."""
    import dask
    import dask.array as da
    import dask_image.imread
    import dask_image.ndfilters

    dask.config.set(scheduler="threads", num_workers=2)
    done = 0
    for z in range(planes):
        image = dask_image.imread.imread(folder / f"image_{z:04d}.tif")[0].rechunk((TILE, TILE))
        truth = dask_image.imread.imread(folder / f"truth_{z:04d}.tif")[0].rechunk((TILE, TILE))
        filtered = dask_image.ndfilters.median_filter(255 - image, size=3)
        mask = filtered > filtered.mean() + 40
        counts = da.bincount((2 * (truth > 0) + mask).ravel().astype("uint8"), minlength=4)
        store = folder / "dask" / f"mask_{z}.zarr"
        dask.compute(mask.astype("uint8").to_zarr(store, overwrite=True, compute=False), counts)
        done += image.size
    return done


CONTENDERS = {function.__name__: function for function in (limit, stored, script, published, dask)}

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
    name, folder, planes, tiles = sys.argv[1:]
    print(CONTENDERS[name](Path(folder), int(planes), int(tiles)))
