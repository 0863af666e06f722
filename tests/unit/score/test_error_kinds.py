"""Where methods differ, by hand; calibres and distances of drawn shapes and against SciPy."""

import cv2
import numpy as np
import pytest
from scipy import ndimage
from skimage.morphology import skeletonize

from tilewise.score import error_kinds
from tilewise.score.confusion import confusion_map

TRUTH = np.array([[0, 0, 1, 1, 255], [0, 0, 1, 1, 255]], np.uint8)
MASKS = np.array(
    [
        [[0, 1, 1, 0, 1], [0, 0, 1, 0, 0]],
        [[0, 1, 1, 0, 1], [1, 0, 0, 1, 0]],
        [[0, 1, 1, 0, 0], [0, 0, 1, 1, 0]],
    ],
    np.uint8,
)
CODES = np.stack([confusion_map(TRUTH, mask) for mask in MASKS])


def test_error_map_by_hand():
    assert error_kinds.error_map(CODES).tolist() == [[1, 4, 1, 4, 0], [2, 1, 2, 2, 0]]
    # of the first method alone
    assert error_kinds.error_map(CODES[:1]).tolist() == [[1, 2, 1, 2, 0], [1, 1, 1, 2, 0]]


def test_differences_by_hand():
    first, second, third = error_kinds.differences(CODES)
    for row in (first, second, third):
        assert (row["annotated"], row["all_right"]) == (8, 3)
        assert (row["all_wrong_fp"], row["all_wrong_fn"]) == (1, 1)
    assert (first["only_wrong_fp"], first["only_wrong_fn"]) == (0, 1)
    assert (second["only_wrong_fp"], second["only_wrong_fn"]) == (1, 1)
    assert (third["only_wrong_fp"], third["only_wrong_fn"]) == (0, 0)
    # nowhere are two of three wrong
    assert all(
        row["only_right_foreground"] + row["only_right_background"] == 0
        for row in (first, second, third)
    )


def test_only_one_is_right():
    first, second = error_kinds.differences(CODES[1:])
    # of two methods, the other one is right where one alone is wrong
    assert second["only_right_background"] == first["only_wrong_fp"] == 1
    assert second["only_right_foreground"] == first["only_wrong_fn"] == 1


def test_a_single_method_is_not_alone():
    (row,) = error_kinds.differences(CODES[:1])
    assert row["all_wrong_fn"] == 2
    assert row["only_wrong_fn"] == row["only_right_foreground"] == 0
    (row,) = error_kinds.object_differences(CODES[:1])
    assert row["truth_objects_only_found"] == row["false_objects_only"] == 0


def test_objects_by_hand():
    truth = np.zeros((5, 16), np.uint8)
    truth[1:3, 1:3] = truth[1:3, 5:7] = truth[1:3, 9:11] = 1
    masks = np.zeros((2, 5, 16), np.uint8)
    masks[:, 1:3, 1:3] = 1
    # half is not more than half
    masks[0, 1, 5:7] = 1
    masks[1, 1:3, 5:7] = 1
    # both make up one object at the same place, the second another one
    masks[:, 1, 13] = 1
    masks[1, 2, 14] = 1
    masks[1, 4, 0] = 1
    codes = np.stack([confusion_map(truth, mask) for mask in masks])
    first, second = error_kinds.object_differences(codes)
    for row in (first, second):
        assert row["truth_objects"] == 3
        assert row["truth_objects_all_found"] == 1
        assert row["truth_objects_all_missed"] == 1
        assert row["false_objects"] == 2
        assert row["false_objects_of_all"] == 1
    assert (first["truth_objects_only_found"], second["truth_objects_only_found"]) == (0, 1)
    assert (first["truth_objects_only_missed"], second["truth_objects_only_missed"]) == (1, 0)
    assert (first["false_objects_only"], second["false_objects_only"]) == (0, 1)
    assert (first["false_objects_all_but"], second["false_objects_all_but"]) == (1, 0)


@pytest.mark.parametrize("width", [1, 3, 4, 7, 12])
def test_calibre_of_a_bar(width):
    bar = np.zeros((60, 120), np.uint8)
    bar[20 : 20 + width, 5:115] = 1
    calibre = error_kinds.calibre(bar, skeletonize(bar.astype(bool)).astype(np.uint8))
    assert (calibre[bar == 0] == 0).all()
    # away from the ends, whose centreline branches
    np.testing.assert_allclose(calibre[20 : 20 + width, 40:80], width, atol=1)


def test_calibre_of_a_disc():
    disc = np.zeros((60, 60), np.uint8)
    cv2.circle(disc, (30, 30), 10, 1, -1)
    skeleton = skeletonize(disc.astype(bool)).astype(np.uint8)
    assert np.median(error_kinds.calibre(disc, skeleton)[disc == 1]) == pytest.approx(21, abs=2)


def test_calibre_is_by_the_own_centreline_however_far():
    """Lines of a pixel, each nearer to an end of the other object than that one's own is."""
    thin, thick = np.zeros((2, 10, 10), np.uint8)
    thin[0], thin[:, 9] = 1, 1
    thick[6:9, 5:8] = thick[7, :5] = thick[3:8, 0] = 1
    line = np.zeros_like(thin)
    line[0, 0] = line[7, 6] = 1
    # the end of the thin one is 12.7 px from its own line, and 3.6 px from the other's
    np.testing.assert_array_equal(error_kinds.calibre(thin + thick, line), thin + 3 * thick)


def test_calibre_without_foreground_or_background():
    nothing = np.zeros((4, 6), np.uint8)
    assert not error_kinds.calibre(nothing, nothing).any()
    everything = nothing + 1
    line = skeletonize(everything.astype(bool)).astype(np.uint8)
    assert (error_kinds.calibre(everything, line) == 4).all()


def test_distance_to_the_boundary_is_scipy_s():
    random = np.random.default_rng(0)
    truth = (ndimage.gaussian_filter(random.random((40, 50)), 2) > 0.5).astype(np.uint8)
    inside = ndimage.distance_transform_edt(truth)
    outside = ndimage.distance_transform_edt(1 - truth)
    np.testing.assert_allclose(error_kinds.boundary_distance(truth), inside + outside, rtol=1e-6)
    assert np.isinf(error_kinds.boundary_distance(np.zeros((3, 3), np.uint8))).all()


def test_strata_by_hand():
    values = np.array([[1, 1, 2, 3, 9], [0, 4, 5, 9, 1]], np.float32)
    rows = error_kinds.strata(CODES[1], values, (0, 1, 4, np.inf))
    # the pixel at 0 is in no stratum, those at 255 are not scored
    assert rows == [
        {"low": 0, "high": 1, "tp": 0, "fp": 1, "fn": 0, "tn": 1},
        {"low": 1, "high": 4, "tp": 1, "fp": 0, "fn": 1, "tn": 1},
        {"low": 4, "high": np.inf, "tp": 1, "fp": 0, "fn": 1, "tn": 0},
    ]


def test_right_alone_in_the_foreground_and_in_the_background():
    truth = np.array([[1, 1, 1, 0, 0, 255]], np.uint8)
    masks = np.array([[[1, 1, 0, 0, 1, 1]], [[0, 0, 0, 1, 1, 0]]], np.uint8)
    codes = np.stack([confusion_map(truth, mask) for mask in masks])
    first, second = error_kinds.differences(codes)
    assert (first["only_right_foreground"], first["only_right_background"]) == (2, 1)
    assert (second["only_right_foreground"], second["only_right_background"]) == (0, 0)
    assert (second["only_wrong_fn"], second["only_wrong_fp"]) == (2, 1)


def test_a_single_method_that_finds_its_object_is_not_alone():
    truth = np.array([[1, 1, 0, 0]], np.uint8)
    (row,) = error_kinds.object_differences(confusion_map(truth, truth)[None])
    assert (row["truth_objects_all_found"], row["truth_objects_only_found"]) == (1, 0)


def test_corners_join_objects_of_connectivity_8():
    truth = np.array([[1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0]], np.uint8)
    # a false object of two pixels that share a corner
    mask = np.array([[1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, 1]], np.uint8)
    codes = confusion_map(truth, mask)[None]
    for connectivity, number in ((8, 1), (4, 2)):
        (row,) = error_kinds.object_differences(codes, connectivity=connectivity)
        assert (row["truth_objects"], row["false_objects"]) == (number, number)


def test_what_shares_a_corner_with_the_truth_is_no_false_object():
    truth = np.array([[1, 0], [0, 0]], np.uint8)
    codes = confusion_map(truth, np.eye(2, dtype=np.uint8))[None]
    assert error_kinds.object_differences(codes)[0]["false_objects"] == 0
    assert error_kinds.object_differences(codes, connectivity=4)[0]["false_objects"] == 1


def test_counts_add_up_over_regions():
    random = np.random.default_rng(1)
    truth = random.choice(np.array([0, 1, 255], np.uint8), (20, 31), p=(0.7, 0.2, 0.1))
    # a gap that cuts no object
    truth[:, 14:16] = 0
    masks = (random.random((3, *truth.shape)) < 0.3).astype(np.uint8)
    masks[:, :, 14:16] = 0
    codes = np.stack([confusion_map(truth, mask) for mask in masks])
    for count in (error_kinds.differences, error_kinds.object_differences):
        parts = [count(codes[..., part]) for part in (slice(15), slice(15, None))]
        for left, right, whole in zip(*parts, count(codes), strict=True):
            assert {name: left[name] + right[name] for name in whole} == whole


@pytest.mark.parametrize("width", [1, 3, 5, 9])
def test_calibre_of_an_odd_width_is_the_width(width):
    bar = np.zeros((30, 60), np.uint8)
    middle = np.zeros_like(bar)
    bar[8 : 8 + width], middle[8 + width // 2] = 1, 1
    np.testing.assert_array_equal(error_kinds.calibre(bar, middle), bar * np.float32(width))


def test_calibre_is_of_the_own_object():
    both = np.zeros((60, 80), np.uint8)
    cv2.circle(both, (30, 30), 20, 1, -1)
    disc = both.astype(bool)
    both[:, 53:55] = 1
    centreline = np.zeros_like(both)
    # the disc's rim is nearer to the line than to its own centre
    centreline[30, 30] = centreline[:, 53] = 1
    calibre = error_kinds.calibre(both, centreline)
    assert np.unique(calibre[both.astype(bool) & ~disc]).tolist() == [1]
    away = ndimage.distance_transform_edt(both)[30, 30]
    np.testing.assert_allclose(calibre[disc], 2 * away - 1, rtol=1e-6)


def test_calibre_is_that_of_the_nearest_part():
    bar, middle = np.zeros((2, 30, 120), np.uint8)
    bar[10:19, :60] = bar[13:16, 60:] = middle[14] = 1
    calibre = error_kinds.calibre(bar, middle)
    assert np.unique(calibre[bar == 1][:1]).tolist() == [9]
    assert (calibre[10:19, 8:50] == 9).all()
    assert (calibre[13:16, 70:110] == 3).all()


def test_the_border_of_the_annotation_is_no_boundary():
    truth = np.array([[0, 0, 1, 1, 1, 255, 255]], np.uint8)
    distance = error_kinds.boundary_distance((truth == 1).astype(np.uint8), truth != 255)
    assert distance[0, :5].tolist() == [2, 1, 1, 2, 3]
    everything = np.array([[1, 1, 255]], np.uint8)
    distance = error_kinds.boundary_distance((everything == 1).astype(np.uint8), everything != 255)
    assert np.isinf(distance).all()


def test_rows_of_a_tile_are_by_method_and_kind():
    rows, differences = error_kinds.tile_rows(CODES, ["a", "b", "c"], 8)
    assert {(row["method"], row["by"]) for row in rows} == {
        (method, kind) for method in "abc" for kind in ("calibre", "distance")
    }
    by_distance = [row for row in rows if row["by"] == "distance" and row["method"] == "a"]
    # the first mask has a false positive, a pixel that it misses in each row, and 4 pixels right
    totals = {name: sum(row[name] for row in by_distance) for name in ("tp", "fp", "fn", "tn")}
    assert totals == {"tp": 2, "fp": 1, "fn": 2, "tn": 3}
    assert [row["method"] for row in differences] == ["a", "b", "c"]
    assert [row["annotated"] for row in differences] == [8, 8, 8]
