import math

import numpy as np
import pytest
from scipy import ndimage
from skimage import morphology

from tilewise.segment import cleanup

SHAPES = ((60, 80), (3, 2), (1, 30), (30, 1), (1, 1))


def make_mask(shape=(60, 80), fraction=0.6, seed=0):
    """Blobs with holes, some of one pixel, also at the border."""
    random = np.random.default_rng(seed)
    smooth = ndimage.uniform_filter(random.random(shape), 3)
    speckle = random.random(shape) < 0.02
    return ((smooth > np.quantile(smooth, 1 - fraction)) ^ speckle).astype(np.uint8)


def masks(shape):
    yield from (make_mask(shape, fraction) for fraction in (0.2, 0.5, 0.8))
    yield np.zeros(shape, np.uint8)
    yield np.ones(shape, np.uint8)


def assert_mask(found, expected):
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("connectivity", "neighbours"), [(8, 2), (4, 1)])
@pytest.mark.parametrize("size", [1, 2, 7, 40])
def test_remove_small_is_scikit_image(size, connectivity, neighbours, shape):
    for mask in masks(shape):
        found = cleanup.remove_small(mask, size, connectivity)
        expected = morphology.remove_small_objects(
            mask.astype(bool), max_size=size - 1, connectivity=neighbours
        )
        assert_mask(found, expected)


def test_remove_small_by_hand():
    mask = np.array([[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 0, 1]], np.uint8)
    assert cleanup.remove_small(mask, 2).tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0] * 4]
    assert not cleanup.remove_small(mask, 2, connectivity=4).any()
    assert not cleanup.remove_small(mask, 3).any()


@pytest.mark.parametrize("shape", SHAPES)
def test_fill_holes_is_scipy(shape):
    for mask in masks(shape):
        assert_mask(cleanup.fill_holes(mask), ndimage.binary_fill_holes(mask))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [1, 2, 5, 40])
def test_fill_small_holes_is_scikit_image_away_from_the_border(size, shape):
    for mask in masks(shape):
        small = morphology.remove_small_holes(mask.astype(bool), max_size=size - 1)
        assert_mask(cleanup.fill_holes(mask, size), small & ndimage.binary_fill_holes(mask))


def test_fill_holes_by_hand():
    mask = np.array(
        [[0, 1, 1, 1, 1, 1], [1, 1, 0, 1, 0, 1], [0, 1, 1, 1, 0, 1], [0, 0, 1, 1, 1, 1]], np.uint8
    )
    filled = mask.copy()
    filled[1, 2] = 1
    assert cleanup.fill_holes(mask, size=2).tolist() == filled.tolist()
    filled[1:3, 4] = 1
    assert cleanup.fill_holes(mask).tolist() == filled.tolist()
    assert cleanup.fill_holes(mask, size=3).tolist() == filled.tolist()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("radius", [1, 2, 3, 5])
@pytest.mark.parametrize("name", ["opening", "closing"])
def test_morphology_is_scikit_image(name, radius, shape):
    for mask in masks(shape):
        found = cleanup.STEPS[name].apply(mask, radius)
        expected = getattr(morphology, name)
        footprint = morphology.disk(radius)
        assert_mask(found, expected(mask.astype(bool), footprint))
        assert_mask(found, expected(mask.astype(bool), footprint, mode="ignore"))


@pytest.mark.parametrize(
    "steps", [[{"opening": 2}], [{"closing": 3}], [{"closing": 1}, {"opening": {"radius": 2}}]]
)
def test_region_with_its_reach_is_cleaned_like_the_plane(steps):
    mask = make_mask((80, 90), 0.5)
    reach = cleanup.steps_reach(steps)
    whole = cleanup.clean(mask, steps)
    for row in range(0, 80, 20):
        for column in range(0, 90, 30):
            top, left = max(row - reach, 0), max(column - reach, 0)
            outer = mask[top : row + 20 + reach, left : column + 30 + reach]
            part = cleanup.clean(outer, steps)[row - top :, column - left :][:20, :30]
            np.testing.assert_array_equal(part, whole[row : row + 20, column : column + 30])


def test_reach():
    assert cleanup.steps_reach([]) == 0
    assert cleanup.steps_reach([{"opening": 2}, {"closing": {"radius": 3}}]) == 10
    assert cleanup.steps_reach([{"opening": 2}, {"remove_small": 5}]) == math.inf
    assert cleanup.steps_reach(["fill_holes"]) == math.inf


@pytest.mark.parametrize(
    "step", [{"remove_small": 9}, "fill_holes", {"opening": 1}, {"closing": 1}]
)
def test_clean_does_not_modify_its_input(step):
    mask = make_mask()
    mask.flags.writeable = False
    assert (cleanup.clean(mask, [step]) != mask).any()


def test_clean_applies_steps_in_order_to_a_part_of_a_plane():
    mask = make_mask((70, 90))[5:65, 7:85]
    found = cleanup.clean(mask, [{"remove_small": {"size": 9, "connectivity": 4}}, "fill_holes"])
    large = morphology.remove_small_objects(mask.astype(bool), max_size=8)
    assert_mask(found, ndimage.binary_fill_holes(large))


def test_parse_steps():
    steps = ["fill_holes", {"remove_small": 20}, {"remove_small": {"size": 9, "connectivity": 4}}]
    assert cleanup.parse_steps(steps) == [
        ("fill_holes", {"size": None}),
        ("remove_small", {"size": 20, "connectivity": 8}),
        ("remove_small", {"size": 9, "connectivity": 4}),
    ]
    assert cleanup.parse_steps(cleanup.parse_steps(steps)) == cleanup.parse_steps(steps)
    cleanup.check_steps(steps)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("fil_holes", "fil_holes does not exist; did you mean fill_holes"),
        ({"opening": {"size": 3}}, "opening has no setting size"),
        ("remove_small", "remove_small needs a value for size"),
        ({"remove_small": 0}, "remove_small: size is 0: give a whole number"),
        ({"remove_small": {"size": None}}, "size is None"),
        ({"remove_small": {"size": 9, "connectivity": 6}}, "connectivity is 6: give 4 or 8"),
        ({"fill_holes": -1}, "size is -1"),
        ({"opening": 1.5}, "radius is 1.5"),
        ({"closing": True}, "radius is True"),
    ],
)
def test_steps_that_are_wrong(step, message):
    with pytest.raises(ValueError, match=message):
        cleanup.check_steps([step])
