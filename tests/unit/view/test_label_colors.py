import numpy as np
from skimage.color import rgb2lab

from tilewise.view import label_colors


def test_colors_are_one_per_number_of_wrong_methods():
    colors = label_colors.error_colors(3)
    assert list(colors) == [1, 2, 3, 4]
    assert colors[1][3] == 0
    assert len(set(colors.values())) == 4
    assert list(label_colors.error_colors(1)) == [1, 2]


def test_colors_darken_with_the_number_of_wrong_methods():
    for methods in (2, 4, 9):
        colors = label_colors.error_colors(methods)
        rgb = np.array([colors[value][:3] for value in range(2, methods + 2)])
        assert (np.diff(rgb2lab(rgb / 255)[:, 0]) < 0).all()


def test_right_background_is_transparent_and_what_was_not_scored_is_dark():
    colors = {"tp": (0, 255, 255), "fp": (255, 0, 255), "fn": (255, 255, 0), "tn": (1, 2, 3)}
    assert label_colors.confusion_colors(colors) == {
        # 85 of 255 parts of the image are left, a third
        0: (0, 0, 0, 255 - 85),
        1: (1, 2, 3, 0),
        2: (255, 0, 255, 255),
        3: (255, 255, 0, 255),
        4: (0, 255, 255, 255),
    }


def test_colors_go_by_the_label():
    colors = dict.fromkeys(("tp", "fp", "fn", "tn"), (1, 2, 3))
    assert label_colors.colors_of("errors", 2, 0, colors) == label_colors.error_colors(2)
    confusion = label_colors.confusion_colors(colors)
    assert label_colors.colors_of("otsu-confusion", 2, 0, colors) == confusion
    truth = {1: (255, 255, 255, 255), 255: (128, 128, 128, 0)}
    assert label_colors.colors_of("truth", 2, 255, colors) == truth
