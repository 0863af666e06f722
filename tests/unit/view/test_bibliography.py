"""References as people read them."""

import re

import pytest

from tilewise.view.bibliography import bibtex, cited, reference, short, with_names
from tilewise.view.references import BIBTEX


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("otsu1979", "Otsu 1979"),
        ("li1993", "Li and Lee 1993"),
        ("buades2005", "Buades et al. 2005"),
        # others are not named in the entry
        ("molder2021", "M\u00f6lder et al. 2021"),
        ("immerkaer1996", "Immerk\u00e6r 1996"),
        ("vanderwalt2014", "van der Walt et al. 2014"),
    ],
)
def test_a_source_in_a_sentence(key, said):
    assert short(key) == said


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (
            "friedman2002",
            "Friedman, J. H. (2002). Stochastic Gradient Boosting. Computational Statistics & Data "
            "Analysis 38(4), 367\u2013378. https://doi.org/10.1016/S0167-9473(01)00065-2",
        ),
        (
            "milletari2016",
            "Milletari, F., Navab, N., Ahmadi, S.-A. (2016). V-Net: Fully Convolutional Neural "
            "Networks for Volumetric Medical Image Segmentation. Fourth International Conference "
            "on 3D Vision, 565\u2013571. https://doi.org/10.1109/3DV.2016.79",
        ),
        (
            "angelopoulos2023",
            "Angelopoulos, A. N., Duchi, J. C., Zrnic, T. (2023). PPI++: Efficient "
            "Prediction-Powered Inference. arXiv:2311.01453",
        ),
    ],
)
def test_a_source_in_a_list(key, said):
    assert reference(key) == said


@pytest.mark.parametrize("key", BIBTEX)
def test_no_latex_is_left(key):
    assert not re.search(r"[\\{}]|--|\n", short(key) + reference(key))
    assert key[-4:] in reference(key)


def test_no_two_sources_read_alike():
    assert len({short(key) for key in BIBTEX}) == len(BIBTEX)


def test_keys_become_names():
    text = "Otsu's threshold [@otsu1979] and Li's [@li1993; @li1998], of 3 [pixels]."
    assert with_names(text) == (
        "Otsu's threshold (Otsu 1979) and Li's (Li and Lee 1993; Li and Tam 1998), of 3 [pixels]."
    )
    assert cited(text) == ["li1993", "li1998", "otsu1979"]
    assert bibtex(["li1993", "otsu1979"]) == f"{BIBTEX['li1993']}\n\n{BIBTEX['otsu1979']}"
