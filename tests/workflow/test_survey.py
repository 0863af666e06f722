"""How far methods agree, on tiles that nobody has traced."""

import numpy as np
import tifffile
from projects import Project
from samples import blobs


def dice(a, b):
    return 2 * np.sum(a & b) / (np.sum(a) + np.sum(b))


def test_agreement_is_that_of_the_masks(tmp_path):
    """A single column of tiles: what filters read of it has the same shape for all of them."""
    project = Project.create(tmp_path / "project")
    image, _ = blobs(planes=1, rows=640, columns=64, seed=3)
    tifffile.imwrite(project.folder / "image.tif", image[0])
    methods = {
        "plain": {"threshold": "otsu", "min_contrast": 0},
        "even": {"filter": "even", "threshold": "otsu", "min_contrast": 0},
        "smooth": {"filter": "smooth", "threshold": {"manual": 100}},
    }
    project.configure(
        [{"sample": "column", "image": "image.tif"}],
        filters={"even": ["equalize"], "smooth": [{"gaussian": 20}]},
        methods=methods,
        quality={"measure": True, "survey": 10},
    ).succeed()
    masks = [project.array(f"column/image.zarr/labels/{name}/0")[0] for name in methods]
    rows = project.rows("column/survey/0/0/0.tsv")
    assert len(rows) == 10
    for number, row in enumerate(rows):
        a, b, c = (mask[64 * number : 64 * number + 64] for mask in masks)
        expected = np.mean([dice(a, b), dice(a, c), dice(b, c)])
        assert float(row["agreement"]) == expected, row["tile"]
