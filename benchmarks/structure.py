"""All metrics of the published tile beside two of scikit-learn's, and what each part costs.

    TILEWISE_KESM=folder python benchmarks/structure.py

All take turns in one process, on one thread; the median of the turns counts.
"""

import os
import statistics
import sys
import time
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "scripts"))
TURNS = 31


def read_tile(folder):
    """Truth and the mask that is to be compared with it."""
    image, truth = (
        cv2.imread(str(folder / name), cv2.IMREAD_GRAYSCALE)
        for name in ("grayscale.png", "groundtruth.png")
    )
    mask = (cv2.medianBlur(255 - image, 3) > 79).astype(np.uint8)
    return (truth > 0).astype(np.uint8), mask


def milliseconds(call):
    start = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - start)


def parts(truth, mask):
    """What is timed, by name; the parts share work that `all five` does once."""
    from sklearn.metrics import confusion_matrix, matthews_corrcoef

    from tilewise.score import confusion, formulas, structure

    def pixels():
        counts = confusion.count(confusion.confusion_map(truth, mask))
        formulas.set_metrics([counts], formulas.PIXEL_METRICS)
        return counts

    def evaluated():
        counts = pixels() | structure.compare(truth, mask, chosen)
        names = [name for name, metric in formulas.METRICS.items() if metric.formula]
        return {name: formulas.evaluate(name, counts) for name in names}

    def scikit_learn():
        confusion_matrix(truth.ravel(), mask.ravel())
        matthews_corrcoef(truth.ravel(), mask.ravel())

    chosen = ("cldice", "nsd", "hd95", "assd", "objects")
    return {
        "counts and metrics of pixels": pixels,
        "centrelines": lambda: structure.compare(truth, mask, ["cldice"]),
        "surfaces": lambda: structure.compare(truth, mask, ["nsd", "hd95", "assd"]),
        "objects": lambda: structure.compare(truth, mask, ["objects"]),
        "all five": lambda: structure.compare(truth, mask, chosen),
        "everything": evaluated,
        "scikit-learn": scikit_learn,
    }


def main():
    cv2.setNumThreads(1)
    calls = parts(*read_tile(Path(os.environ["TILEWISE_KESM"])))
    for call in calls.values():
        call()
    times = {name: [] for name in calls}
    for _ in range(TURNS):
        for name, call in calls.items():
            times[name].append(milliseconds(call))
    median = {name: statistics.median(values) for name, values in times.items()}
    print("| part | ms | of everything |\n| --- | ---: | ---: |")
    for name, value in median.items():
        print(f"| {name} | {value:.2f} | {value / median['everything']:.0%} |")
    ratio = median["scikit-learn"] / median["everything"]
    print(f"\nconfusion_matrix and matthews_corrcoef take {ratio:.1f} times as long as everything")


if __name__ == "__main__":
    main()
