import cv2
import numpy as np
import pytest

from tilewise.demo import phantom

KESM_SHAPE = (800, 8026, 17480)
# Measured on the KESM tile, by its ground truth; background: more than 4 pixels from any vessel
KESM_MEDIAN, KESM_QUARTILES = 211, (208, 215)
KESM_DEVIATION = 8.5
KESM_LOW, KESM_HIGH = 201, 250  # percentiles 1 and 99
KESM_VESSELS = 148.5
KESM_DARKEST = 42
KESM_CALIBRE = 3.6  # median over vessels of the largest inscribed radius
KESM_COUNT = 72


@pytest.fixture(scope="module")
def tiles():
    """Image and truth of 24 tiles of 512 x 512, of several seeds, planes and places."""
    drawn = []
    for number in range(24):
        y, x = 512 * (5 * number % 14), 512 * (7 * number % 33)
        window = (y, y + 512, x, x + 512)
        drawn.append(phantom.render(KESM_SHAPE, number % 4, 31 * number + 2, *window))
    return drawn


@pytest.fixture(scope="module")
def plane():
    return phantom.render((40, 700, 1100), 7, 12, 0, 700)


def background(image, truth):
    return image[cv2.dilate(truth, np.ones((9, 9), np.uint8)) == 0]


def published(image):
    """The published procedure: invert, median 3 x 3, Otsu, foreground above."""
    filtered = cv2.medianBlur(255 - image, 3)
    return cv2.threshold(filtered, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1]


def test_image_and_truth_are_8_bit_and_truth_is_0_or_1(plane):
    image, truth = plane
    assert image.dtype == truth.dtype == np.uint8
    assert image.shape == truth.shape == (700, 1100)
    assert set(np.unique(truth)) == {0, 1}


@pytest.mark.parametrize(
    "window",
    [
        (0, 1, 0, 1),
        (699, 700, 1099, 1100),
        (511, 513, 511, 513),
        (100, 164, 500, 900),
        (0, 512, 512, 1024),
        (37, 650, 3, 1090),
    ],
)
def test_a_window_equals_the_same_window_of_the_plane(plane, window):
    y0, y1, x0, x1 = window
    part = phantom.render((40, 700, 1100), 7, 12, y0, y1, x0, x1)
    for rendered, whole in zip(part, plane, strict=True):
        np.testing.assert_array_equal(rendered, whole[y0:y1, x0:x1])


@pytest.mark.parametrize("axis", [0, 1])
def test_no_seam_between_cells(plane, axis):
    image, truth = plane
    seams = range(511, truth.shape[axis] - 1, 512)
    pale = np.minimum(*(np.take(image, range(k, image.shape[axis] - 1 + k), axis) for k in (0, 1)))
    edge = np.abs(np.diff(truth.astype(int), axis=axis)).sum(axis=1 - axis)
    step = np.abs(np.diff(image.astype(int), axis=axis))
    step = np.where(pale > KESM_LOW, step, 0).mean(axis=1 - axis)
    for measure in (step, edge):
        usual = np.delete(measure, list(seams))
        assert measure[list(seams)].max() < usual.mean() + 5 * usual.std()


def test_the_size_of_the_stack_does_not_matter():
    small = phantom.render((2, 64, 64), 3, 1, 0, 64)
    large = phantom.render(KESM_SHAPE, 3, 1, 0, 64, 0, 64)
    np.testing.assert_array_equal(small, large)


def test_far_corner_of_a_large_stack():
    image, truth = phantom.render(KESM_SHAPE, 3, 799, 8000, 8026, 17400, 17480)
    assert image.shape == truth.shape == (26, 80)
    assert image.std() > 0


def test_same_arguments_same_bytes_also_without_caches(plane):
    phantom._texture.cache_clear()
    again = phantom.render((40, 700, 1100), 7, 12, 0, 700)
    np.testing.assert_array_equal(again, plane)


@pytest.mark.parametrize(("seed", "z"), [(8, 12), (7, 39)])
def test_another_seed_or_plane_differs(plane, seed, z):
    image, truth = phantom.render((40, 700, 1100), seed, z, 0, 512, 0, 512)
    assert np.mean(image != plane[0][:512, :512]) > 0.5
    both = np.count_nonzero(truth & plane[1][:512, :512])
    assert both < 0.5 * np.count_nonzero(truth)


def test_vessels_continue_in_the_next_plane(plane):
    following = phantom.render((40, 700, 1100), 7, 13, 0, 700)[1]
    both = np.count_nonzero(plane[1] & following)
    dice = 2 * both / (np.count_nonzero(plane[1]) + np.count_nonzero(following))
    assert 0.75 < dice < 0.99


def test_pixels_are_not_the_same_noise_in_the_next_plane(plane):
    image, truth = (part[:512, :512] for part in plane)
    following = phantom.render((40, 700, 1100), 7, 13, 0, 512, 0, 512)[0]
    fine = [
        part - cv2.blur(part, (9, 9)) for part in (image.astype(float), following.astype(float))
    ]
    tissue = cv2.dilate(truth, np.ones((15, 15), np.uint8)) == 0
    assert abs(np.corrcoef(fine[0][tissue], fine[1][tissue])[0, 1]) < 0.3


def test_fraction_number_and_calibre_of_vessels(tiles):
    assert 0.02 < np.mean([truth.mean() for _, truth in tiles]) < 0.045
    counts, radii = [], []
    for _, truth in tiles:
        number, labels = cv2.connectedComponents(truth)
        depth = cv2.distanceTransform(truth, cv2.DIST_L2, 5)
        counts.append(number - 1)
        radii += [depth[labels == label].max() for label in range(1, number)]
    assert 0.6 * KESM_COUNT < np.mean(counts) < 1.4 * KESM_COUNT
    assert np.median(radii) == pytest.approx(KESM_CALIBRE, abs=0.8)
    assert max(radii) > 10


def test_some_vessels_are_cut_across_and_some_run_along_the_plane(tiles):
    elongation = []
    for _, truth in tiles:
        for outline in cv2.findContours(truth, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]:
            sides = np.add(cv2.minAreaRect(outline)[1], 1)
            elongation.append(sides.max() / sides.min())
    assert np.mean(np.array(elongation) < 1.6) > 0.3
    assert np.mean(np.array(elongation) > 2.5) > 0.1


def test_some_quarters_of_tiles_have_no_vessel(tiles):
    quarters = [
        truth[y : y + 256, x : x + 256].any()
        for _, truth in tiles
        for y in (0, 256)
        for x in (0, 256)
    ]
    assert 0 < quarters.count(False) < 0.15 * len(quarters)


def test_histogram_of_the_background_is_that_of_the_real_tile(tiles):
    low, first, median, third, high = np.mean(
        [np.percentile(background(*tile), (1, 25, 50, 75, 99)) for tile in tiles], axis=0
    )
    assert median == pytest.approx(KESM_MEDIAN, abs=3)
    assert first == pytest.approx(KESM_QUARTILES[0], abs=3)
    assert third == pytest.approx(KESM_QUARTILES[1], abs=4)
    assert low == pytest.approx(KESM_LOW, abs=5)
    assert high == pytest.approx(KESM_HIGH, abs=22)
    deviation = np.mean([background(*tile).std() for tile in tiles])
    assert 0.5 * KESM_DEVIATION < deviation < 1.5 * KESM_DEVIATION


def test_vessels_are_as_dark_as_in_the_real_tile(tiles):
    dark = np.concatenate([image[truth == 1] for image, truth in tiles])
    assert dark.mean() == pytest.approx(KESM_VESSELS, abs=15)
    assert np.percentile(dark, 1) == pytest.approx(KESM_DARKEST, abs=15)


def test_neighbouring_pixels_of_the_background_correlate(tiles):
    # Of smooth tissue in the real tile: 0.4 to 0.55 at distance 1, in both directions
    image, truth = min(tiles, key=lambda tile: background(*tile).std())
    fine = image - cv2.GaussianBlur(image.astype(float), (0, 0), 15)
    tissue = cv2.dilate(truth, np.ones((25, 25), np.uint8)) == 0
    for axis in (0, 1):
        one, other = (np.take(fine, range(k, 511 + k), axis) for k in (0, 1))
        inside = np.take(tissue, range(511), axis)
        assert 0.25 < np.corrcoef(one[inside], other[inside])[0, 1] < 0.7


def test_the_published_procedure_finds_most_vessels(tiles):
    scores = []
    for image, truth in tiles:
        mask = published(image)
        total = np.count_nonzero(mask) + np.count_nonzero(truth)
        scores.append(2 * np.count_nonzero(mask & truth) / total)
    assert 0.75 < np.mean(scores) < 0.92


@pytest.mark.parametrize(
    "arguments",
    [
        ((2, 64, 64), 1, 2, 0, 64),
        ((2, 64, 64), 1, -1, 0, 64),
        ((2, 64, 64), 1, 0, 0, 65),
        ((2, 64, 64), 1, 0, 5, 5),
        ((2, 64, 64), 1, 0, 0, 64, 10, 65),
    ],
)
def test_a_window_outside_the_stack_is_refused(arguments):
    with pytest.raises(ValueError, match="inside"):
        phantom.render(*arguments)


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="seed"):
        phantom.render((2, 64, 64), -1, 0, 0, 64)
