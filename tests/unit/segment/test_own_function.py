"""Masks by functions of the user's own."""

import numpy as np
import pytest

from tilewise.segment import own_function

PLANE = np.array([[1, 5, 9], [3, 2, 8]], np.uint8)


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "own.py"
        path.write_text(text)
        own_function._load.cache_clear()
        return str(path)

    return write


def test_what_is_not_zero_is_foreground(write):
    file = write("def segment(image, level):\n    return (image > level) * 7\n")
    mask = own_function.python(PLANE, file, params={"level": 4})
    assert mask.dtype == np.uint8
    assert mask.tolist() == [[0, 1, 1], [0, 0, 1]]


def test_a_function_may_ask_for_the_region_of_interest(write):
    file = write("def mean(image, inside):\n    return image > image[inside].mean()\n")
    inside = np.array([[False, False, True], [False, False, True]])
    # the mean of 9 and 8; that of all is less than 5
    mask = own_function.python(PLANE, file, "mean", inside=inside)
    assert mask.tolist() == [[0, 0, 1], [0, 0, 0]]


def test_the_image_cannot_be_changed(write):
    file = write("def segment(image):\n    image[:] = 0\n    return image\n")
    with pytest.raises(ValueError, match="read-only"):
        own_function.python(PLANE, file)


def test_nothing_is_written_beside_the_file(write, tmp_path):
    own_function.python(PLANE, write("def segment(image):\n    return image > 3\n"))
    assert [path.name for path in tmp_path.iterdir()] == ["own.py"]


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ("image[:1] > 3", r"own.py: segment returned an array of shape \(1, 3\)"),
        ("image / 9", "own.py: segment returned float64: return a mask"),
        ("None", r"shape \(\)"),
    ],
)
def test_what_is_no_mask_is_refused(write, result, message):
    file = write(f"def segment(image):\n    return {result}\n")
    with pytest.raises(ValueError, match=message):
        own_function.python(PLANE, file)


def test_parameters_are_read_without_running_the_file(write):
    text = "raise SystemExit\ndef a(image, x, y=2, *, z, w=1): ...\ndef b(image=0, **any): ...\n"
    file = write(text)
    known = own_function.parameters_of(file, "a")
    assert (known.required, known.optional, known.takes_any) == (["x", "z"], ["y", "w"], False)
    known = own_function.parameters_of(file, "b")
    assert (known.names, known.takes_any) == ([], True)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"file": 3}, "file and function are texts"),
        ({"file": "nowhere.py"}, "nowhere.py cannot be read: No such file"),
        ({"function": "other"}, r"has no function other \(it has: segment, bare\)"),
        ({"function": "bare"}, "bare takes no image"),
        ({"halo": -1}, "halo is -1"),
        ({"halo": True}, "halo is True"),
        ({"params": [1]}, r"params is \[1\]"),
        ({"params": {"level": 2, "levle": 1}}, r"no parameter levle \(it has: level\)"),
        ({"params": {"inside": 1}}, "inside is the region of interest"),
        ({"params": None}, "segment needs a value for level"),
    ],
)
def test_settings_that_cannot_be_are_refused(write, settings, message):
    file = write("def segment(image, level): ...\ndef bare(): ...\n")
    known = {"file": file, "function": "segment", "halo": None, "params": {"level": 1}}
    own_function.check(**known)
    own_function.check(**known | {"halo": 0})
    with pytest.raises(ValueError, match=message):
        own_function.check(**known | settings)


def test_what_is_no_python_is_refused(write):
    with pytest.raises(ValueError, match=r"own.py is no Python: .*line 1"):
        own_function.parameters_of(write("def segment(image:\n"))
