"""Connected components, labelled band by band."""

import numpy as np
import pytest
from skimage import measure

from tilewise.segment import components
from tilewise.segment.components import Components

HEIGHTS = 1, 2, 7, 100


@pytest.fixture(params=HEIGHTS)
def height(request, monkeypatch):
    """Rows of a band, of masks of 23 columns."""
    monkeypatch.setattr(components, "BAND_PIXELS", request.param * 23)
    return request.param


@pytest.mark.parametrize(("connectivity", "neighbours"), [(8, 2), (4, 1)])
@pytest.mark.parametrize("fraction", [0, 0.1, 0.4, 0.6, 0.9, 1])
def test_components_are_those_of_scikit_image(height, fraction, connectivity, neighbours):
    random = np.random.default_rng(1)
    mask = (random.random((31, 23)) < fraction).astype(np.uint8)
    seeds = (random.random(mask.shape) < 0.05).astype(np.uint8)
    labels = measure.label(mask, connectivity=neighbours)
    regions = measure.regionprops(labels)
    found = Components(mask, connectivity)

    assert found.area[0] == np.count_nonzero(mask == 0)
    assert sorted(found.area[1:]) == sorted(region.area for region in regions)
    for size in (1, 2, 5, 50):
        chosen = found.area >= size
        chosen[0] = False
        expected = np.isin(labels, [region.label for region in regions if region.area >= size])
        np.testing.assert_array_equal(found.select(chosen), expected)

    chosen = found.any(seeds)
    chosen[0] = False
    expected = np.isin(labels, np.unique(labels[(seeds & mask) > 0]))
    np.testing.assert_array_equal(found.select(chosen), expected)

    chosen = found.touches_border.copy()
    chosen[0] = True
    border = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    expected = np.isin(labels, [0, *border])
    np.testing.assert_array_equal(found.select(chosen), expected)


def test_a_corner_across_a_seam(monkeypatch):
    monkeypatch.setattr(components, "BAND_PIXELS", 3)
    falling, rising = (
        np.array(rows, np.uint8) for rows in ([[1, 0, 0], [0, 1, 0]], [[0, 1], [1, 0]])
    )
    for mask in (falling, rising):
        assert Components(mask, 8).area[1:].tolist() == [2]
        assert Components(mask, 4).area[1:].tolist() == [1, 1]
