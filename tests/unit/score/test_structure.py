"""Centrelines, surfaces and objects, against SciPy and scikit-image and by hand."""

import math
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from published import KESM, needs_kesm
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage.measure import label
from skimage.morphology import skeletonize

from tilewise.score import formulas, scoring, structure
from tilewise.score.skeleton import skeleton

ALL = tuple(formulas.CHOICES)
ROOT = Path(__file__).parents[3]


def masks(number=60, sides=(1, 60)):
    """Masks of noise and of smooth blobs, of any size."""
    random = np.random.default_rng(0)
    for i in range(number):
        shape = random.integers(*sides, 2)
        mask = (random.random(shape) < random.uniform(0.05, 0.95)).astype(np.uint8)
        if i % 2:
            mask = (cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 2) > 0.5).astype(np.uint8)
        yield mask


def test_skeleton_is_scikit_image_s():
    for mask in masks(200):
        expected = skeletonize(mask.astype(bool)).astype(np.uint8)
        np.testing.assert_array_equal(skeleton(mask), expected)


def test_skeleton_of_solid_shapes_is_scikit_image_s():
    solid = [
        np.ones((40, 60), np.uint8),
        cv2.circle(np.zeros((90, 90), np.uint8), (50, 40), 45, 1, -1),
    ]
    for mask in [*solid, network(), cv2.dilate(network(), np.ones((9, 9), np.uint8))]:
        expected = skeletonize(mask.astype(bool)).astype(np.uint8)
        np.testing.assert_array_equal(skeleton(mask), expected)


@pytest.mark.parametrize("spacing", [(0.1, 0.1), (0.2, 0.1)])
def test_a_distance_of_the_tolerance_is_within_it(spacing):
    truth, mask = np.zeros((2, 5, 9), np.uint8)
    truth[2, 2] = mask[2, 5] = 1
    # three pixels of 0.1; 3 * 0.1 > 0.3 in double precision
    assert structure.compare(truth, mask, ["nsd"], spacing, 0.3)["surface_near"] == 2
    assert structure.compare(truth, mask, ["nsd"], spacing, 0.29)["surface_near"] == 0


def test_distances_across_a_plane_are_exact():
    truth, mask = np.zeros((2, 40, 12000), np.uint8)
    truth[3, 3] = mask[37, 11998] = mask[20, 11991] = 1
    ways = math.hypot(34, 11995), math.hypot(17, 11988)
    found = structure.compare(truth, mask, ["assd"])["surface_distance"]
    # the truth's pixel to the nearer one, and both back
    assert found == pytest.approx(sum(ways) + min(ways), rel=1e-14)


def test_an_extent_without_pixels():
    nothing = np.zeros((0, 9), np.uint8)
    found = structure.compare(nothing, nothing, ALL)
    assert not any(found.values())


def test_unknown_settings_are_refused():
    mask = np.eye(5, dtype=np.uint8)
    with pytest.raises(ValueError, match="cldise does not exist"):
        structure.compare(mask, mask, ["cldise"])
    with pytest.raises(ValueError, match="use 4 or 8"):
        structure.Objects(connectivity=6)


def test_surface_is_scipy_s_with_unknown_surroundings():
    for mask in masks():
        # nothing is known beyond the edge: it may be foreground
        inner = ndimage.binary_erosion(mask, border_value=1)
        np.testing.assert_array_equal(structure.surface(mask), mask.astype(bool) & ~inner)


def test_unknown_pixels_are_no_background():
    mask = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 0]], np.uint8)
    unknown = np.array([[0, 0, 1], [0, 0, 1], [0, 0, 0]], bool)
    assert structure.surface(mask, unknown).tolist() == [
        [False, False, False],
        [True, True, False],
        [False, False, False],
    ]


def brute_distances(truth, mask, spacing):
    """Distances both ways, from surfaces by erosion and nearest neighbours by a tree."""
    surfaces = [
        np.argwhere(one.astype(bool) & ~ndimage.binary_erosion(one, border_value=1)) * spacing
        for one in (truth, mask)
    ]
    there = cKDTree(surfaces[1]).query(surfaces[0])[0]
    back = cKDTree(surfaces[0]).query(surfaces[1])[0]
    return there, back


@pytest.mark.parametrize(
    ("shape", "spacing"),
    [
        ((40, 50), (1, 1)),
        ((40, 50), (0.5, 1.2)),
        ((8, 20, 24), (3, 1, 0.7)),
        ((8, 20, 24), (2, 2, 2)),
    ],
)
def test_surface_distances_are_scipy_s(shape, spacing):
    random = np.random.default_rng(1)
    for tolerance in (1.0, 2.5):
        truth, mask = (
            (ndimage.gaussian_filter(random.random(shape), 2) > 0.5).astype(np.uint8) for _ in "ab"
        )
        there, back = brute_distances(truth, mask, spacing)
        found = structure.compare(truth, mask, ("nsd", "hd95", "assd"), spacing, tolerance)
        both = np.concatenate([there, back])
        assert found["surface"] == both.size
        assert found["surface_near"] == np.count_nonzero(both <= tolerance)
        assert found["surface_distance"] == pytest.approx(both.sum(), rel=1e-12)
        expected = max(np.percentile(there, 95), np.percentile(back, 95))
        assert found["hd95"] == pytest.approx(expected, rel=1e-12)


def test_distances_by_hand():
    truth, mask = np.zeros((2, 5, 9), np.uint8)
    truth[2, 2] = mask[2, 5] = mask[2, 6] = 1
    found = structure.compare(truth, mask, ("nsd", "hd95", "assd"), (2.0, 2.0), tolerance=6.0)
    # truth's pixel is 6 from the mask, the mask's are 6 and 8 from the truth
    assert found == {
        "surface": 3,
        "surface_near": 2,
        "surface_distance": 20.0,
        "hd95": pytest.approx(7.9),
    }


def test_centrelines_by_hand():
    truth, mask = np.zeros((2, 7, 12), np.uint8)
    truth[2:5, 1:11] = 1
    mask[2:5, 1:6] = 1
    # a bar of 3 x 10 shrinks to a line of its middle row
    found = structure.compare(truth, mask, ["cldice"])
    columns = np.flatnonzero(skeletonize(truth.astype(bool)).any(axis=0))
    assert found["skeleton_truth"] == skeletonize(truth.astype(bool)).sum()
    assert found["skeleton_truth_found"] == np.count_nonzero(columns < 6)
    assert found["skeleton_mask_right"] == found["skeleton_mask"]


def test_skeleton_of_a_stack():
    stack = np.zeros((9, 9, 20), np.uint8)
    stack[3:6, 3:6, 2:18] = 1
    line = skeleton(stack)
    assert line.max() == 1
    assert set(np.argwhere(line)[:, 0]) == {4}
    assert structure.compare(stack, stack, ["cldice"])["skeleton_mask_right"] == line.sum()


def objects(truth, mask, **settings):
    found = structure.compare(truth, mask, ["objects"], objects=structure.Objects(**settings))
    return tuple(found[f"objects_{name}"] for name in ("truth", "mask", "matched"))


def test_objects_by_hand():
    truth = np.zeros((6, 14), np.uint8)
    truth[1:3, 1:5] = 1
    truth[1:3, 7:9] = 1
    truth[4, 12] = 1
    mask = np.zeros_like(truth)
    # covers 6 of 8 pixels, 6 of 8 in the union
    mask[1:3, 2:5] = 1
    # 2 of 4, and 2 more: a third of the union
    mask[1:3, 8:10] = 1
    mask[5, 0] = 1
    assert objects(truth, mask) == (3, 3, 1)
    assert objects(truth, mask, threshold=0.3) == (3, 3, 2)
    assert objects(truth, mask, threshold=0.8) == (3, 3, 0)
    assert objects(truth, mask, criterion="overlap", threshold=0.4) == (3, 3, 2)
    assert objects(truth, mask, criterion="any") == (3, 3, 2)
    assert objects(truth, mask, min_size=2) == (2, 2, 1)


def test_objects_match_one_to_one():
    truth = np.zeros((3, 12), np.uint8)
    truth[1, 1:11] = 1
    mask = truth.copy()
    mask[1, 5] = 0
    # both halves touch the one true object
    assert objects(truth, mask, criterion="any") == (1, 2, 1)
    assert objects(mask, truth, criterion="any") == (2, 1, 1)


def test_connectivity():
    mask = np.eye(4, dtype=np.uint8)
    assert objects(mask, mask, connectivity=8) == (1, 1, 1)
    assert objects(mask, mask, connectivity=4) == (4, 4, 4)
    stack = np.zeros((2, 2, 2), np.uint8)
    stack[0, 0, 0] = stack[1, 1, 1] = 1
    assert objects(stack, stack, connectivity=8) == (1, 1, 1)
    assert objects(stack, stack, connectivity=4) == (2, 2, 2)
    # voxels that share an edge alone
    stack[1, 1, 1], stack[0, 1, 1] = 0, 1
    assert objects(stack, stack, connectivity=4) == (2, 2, 2)
    assert objects(stack, stack, connectivity=8) == (1, 1, 1)


def test_objects_are_scikit_image_s():
    """Unique matches above half of the union, by labels of scikit-image and a loop over pairs."""
    random = np.random.default_rng(3)
    for _ in range(10):
        truth, mask = (
            (ndimage.gaussian_filter(random.random((40, 40)), 1.2) > 0.53).astype(np.uint8)
            for _ in "ab"
        )
        mask = np.where(random.random((40, 40)) < 0.7, truth, mask)
        mask = ndimage.median_filter(mask, 3)
        first, second = label(truth, connectivity=2), label(mask, connectivity=2)
        matched = sum(
            np.sum((first == i) & (second == k)) / np.sum((first == i) | (second == k)) > 0.5
            for i in range(1, first.max() + 1)
            for k in range(1, second.max() + 1)
        )
        assert objects(truth, mask) == (first.max(), second.max(), matched)


def test_not_annotated_pixels_do_not_count():
    random = np.random.default_rng(5)
    truth, mask = ((ndimage.gaussian_filter(random.random((30, 40)), 2) > 0.5) for _ in "ab")
    truth, mask = truth.astype(np.uint8), mask.astype(np.uint8)
    truth[:, 25:] = 255
    cut = structure.compare(truth, mask, ALL)
    alone = structure.compare(truth[:, :25], mask[:, :25], ALL)
    del cut["hd95"], alone["hd95"]
    assert cut == alone


def test_a_mask_of_0_and_255_is_refused():
    truth = np.eye(5, dtype=np.uint8)
    with pytest.raises(ValueError, match="must be 0 and 1, not 0 and 255"):
        structure.compare(truth, truth * 255, ["nsd"])
    with pytest.raises(ValueError, match="must be 0, 1 or 255"):
        structure.compare(truth * 3, truth, ["nsd"])


# Traps: no single metric may decide.


def values(truth, mask):
    settings = {"metrics": ALL, "spacing": (1, 1, 1), "tolerance": 1.0, "objects": {}}
    row = scoring.count_extent(truth, mask, settings)
    if row:
        formulas.set_metrics([row], [name for name, one in formulas.METRICS.items() if one.formula])
    return row


def network():
    """Thin vessels, two or three pixels wide."""
    random = np.random.default_rng(2)
    truth = np.zeros((256, 256), np.uint8)
    for _ in range(12):
        points = random.integers(10, 246, (3, 2)).astype(np.int32)
        cv2.polylines(truth, [points.reshape(-1, 1, 2)], False, 1, thickness=3)
    return truth


def test_a_fattened_mask_keeps_its_centreline():
    truth = network()
    fat = cv2.dilate(truth, np.ones((7, 7), np.uint8))
    found = values(truth, fat)
    assert found["cldice"] > 0.9
    assert found["f1"] < 0.7
    assert found["nsd"] < 0.1
    assert found["recall"] == 1


@needs_kesm
def test_the_published_tile_fattened():
    truth = cv2.imread(str(KESM / "groundtruth.png"), cv2.IMREAD_GRAYSCALE) // 255
    fat = cv2.dilate(truth, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7)))
    found = values(truth, fat)
    assert found["cldice"] == pytest.approx(0.95, abs=0.02)
    assert found["f1"] == pytest.approx(0.60, abs=0.02)
    # no surface is within a pixel of the other; where the edge of the tile counts as one, 3 % are
    assert found["nsd"] == 0
    there, back = (
        structure.compare(*(np.pad(one, 1) for one in pair), ["nsd"])
        for pair in ((truth, fat), (fat, truth))
    )
    assert there == back
    assert there["surface_near"] / there["surface"] == pytest.approx(0.03, abs=0.01)
    nothing = values(truth, np.zeros_like(truth))
    assert nothing["accuracy"] == pytest.approx(0.97, abs=0.005)
    assert nothing["mcc"] == nothing["f1"] == nothing["cldice"] == nothing["nsd"] == 0


# The table of docs/validation.md says what every metric is in every degenerate case.

CASES = {
    "both empty": (0, 0),
    "mask empty": ("object", 0),
    "truth empty": (0, "object"),
    "both full": (1, 1),
    "mask full": ("object", 1),
    "truth full": (1, "object"),
    "not annotated": (255, "object"),
}


def documented():
    """Metric, case and what the table says."""
    text = (ROOT / "docs/validation.md").read_text()
    table = re.search(r"\| metric \|.*?\n\n", text, re.DOTALL).group()
    header, _, *rows = (
        [cell.strip(" `") for cell in line.strip("|").split("|")]
        for line in table.strip().splitlines()
    )
    for name, *cells in rows:
        for case, cell in zip(header[1:], cells, strict=False):
            if case in CASES:
                yield name, case, cell


def made(kind):
    if kind != "object":
        return np.full((6, 8), kind, np.uint8)
    pixels = np.zeros((6, 8), np.uint8)
    pixels[2:4, 3:6] = 1
    return pixels


@pytest.mark.parametrize(("name", "case", "cell"), list(documented()))
def test_degenerate_cases_are_as_documented(name, case, cell):
    truth, mask = map(made, CASES[case])
    found = values(truth, mask)
    value = None if found is None else found[name]
    if cell == "undefined":
        assert value is None
        return
    # p is the share of foreground in the truth, q in the mask, d the diagonal, s of the centreline
    line = skeletonize(np.ones((6, 8), bool))
    share = line[2:4, 3:6].sum() / line.sum()
    words = {"p": 6 / 48, "q": 6 / 48, "d": math.hypot(6, 8), "n": 1, "s": share}
    if case in ("truth full", "truth empty"):
        words["p"] = float(case == "truth full")
    assert value == pytest.approx(eval(cell, {"__builtins__": {}}, words))  # noqa: S307


def test_every_metric_is_documented_in_every_case():
    assert {(name, case) for name, case, _ in documented()} == {
        (name, case) for name in formulas.METRICS for case in CASES
    }
