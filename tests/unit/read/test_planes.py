import pytest

from tilewise.read.planes import match_planes, natural_key


def test_natural_order():
    names = ["b_1", "plane_10.tif", "plane_2.tif", "plane_002.tif", "10", "9", "plane.tif"]
    ordered = ["9", "10", "b_1", "plane.tif", "plane_002.tif", "plane_2.tif", "plane_10.tif"]
    assert sorted(names, key=natural_key) == ordered


@pytest.mark.parametrize(
    ("images", "truths", "expected"),
    [
        (["a/plane_007.tif", "a/plane_008.tif"], ["b/truth_8.png"], [1]),
        (["p_1", "p_2", "p_10"], ["t_010", "t_001"], [2, 0]),
        # the last number does not vary
        (["s2_p1_c0", "s2_p2_c0", "s2_p3_c0"], ["s2_p3_c0_truth", "s2_p1_c0_truth"], [2, 0]),
        # two numbers tell the images apart
        (["s10_p1", "s20_p2"], ["truth_2"], [1]),
        # the last number varies, but does not tell the images apart
        (["p1_r1", "p2_r1", "p3_r2"], ["truth_3"], [2]),
        # one number of the truth varies
        (["p_1", "p_2", "p_3"], ["p_3_v2", "p_1_v2"], [2, 0]),
        # equal names
        (["a/x.tif", "a/y.tif"], ["b/y.png"], [1]),
        (["a.tif"], ["truth.png"], [0]),
    ],
)
def test_match_planes(images, truths, expected):
    assert match_planes(images, truths) == expected


@pytest.mark.parametrize(
    ("images", "truths", "message"),
    [
        (["p_1", "p_2"], ["truth"], r"plane of truth .*no number in its name"),
        (["p_1", "p_2"], ["t_3"], r"plane of t_3 .*no image has the number 3"),
        (["p_1", "p_01", "q_2"], ["t_1"], r"plane of p_1 .*tells all images apart"),
        (["p", "q"], ["t_1"], r"plane of p .*tells all images apart"),
        (["p_1", "p_2_3"], ["t_1"], r"plane of p_2_3 .*different counts of numbers"),
        (["p_1", "p_2"], ["t_1", "t_01"], r"plane of t_01 .*t_1 both belong to p_1"),
        (["p_1", "p_2"], ["p_1_v2"], r"plane of p_1_v2 .*several numbers"),
        (["p_1", "p_2"], ["a_1_v2", "b_2_v3"], r"plane of a_1_v2 .*several numbers"),
    ],
)
def test_planes_that_do_not_match(images, truths, message):
    with pytest.raises(ValueError, match=message) as error:
        match_planes(images, truths)
    assert "TSV of windows (z, y, x, path)" in str(error.value)
