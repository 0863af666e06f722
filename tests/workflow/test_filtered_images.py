"""What runs again where methods share filtered images: kept, deleted again, or never written.

Every change changes masks: what follows equal ones may be spared, as Snakemake goes by content.
Of three methods, `otsu` and `li` share the filter `smooth`, and `flat` has its own; the threshold
of `li` is that of the whole sample, which others do not ask (`fallback`). Two planes of one tile
each are a block each, and have truth.
"""

import time

import pytest
from projects import Project
from samples import blobs, write_planes
from test_rerun import edit

FILTERS = {"smooth": [{"gaussian": 1}], "flat": [{"median": 5}]}
METHODS = {
    "otsu": {"filter": "smooth", "threshold": "otsu", "fallback": "empty"},
    "li": {"filter": "smooth", "threshold": "li", "scope": "sample"},
    "flat": {"filter": "flat", "threshold": "otsu", "fallback": "empty"},
}
KEPT = {"keep_filtered": "auto", "keep_filtered_limit": 1000}
INLINE = {"keep_filtered": "auto", "keep_filtered_limit": 0}
TEMPORARY = {"keep_filtered": False}
SUMMARY = {"decide": 1, "aggregate": 1, "gather_warnings": 1, "report": 1, "quantities": 1}
SUMMARY |= {"costs": 1, "provenance": 1}
"""Jobs of the whole study that follow any score."""


class Study(Project):
    """A finished project, and how it treats filtered images."""

    keep = KEPT

    def settings(self, filters=None, methods=None, **settings):
        """Write the configuration with these changes."""
        return self.configure(
            filters=FILTERS | (filters or {}),
            methods=METHODS | (methods or {}),
            block={"planes": 1},
            **self.keep,
            **settings,
        )

    @property
    def is_kept(self):
        return self.keep == KEPT

    def succeed_at_once(self):
        """Run everything that a change needs; there is nothing to do afterwards."""
        run = self.succeed()
        again = self.succeed()
        assert not again.jobs, again.output
        assert "Nothing to be done" in again.output
        return run


def finish(folder, keep):
    study = Study.create(folder)
    study.keep = keep
    image, truth = blobs(rows=64, columns=64)
    write_planes(study.folder / "image", image)
    write_planes(study.folder / "truth", truth * 255)
    sheet = "sample\timage\ttruth\ndiscs\timage/*.png\ttruth/*.png\n"
    (study.folder / "my.tsv").write_text(sheet)
    study.settings().succeed()
    return study


def copy(study, folder):
    # files written from now on are newer than all results
    time.sleep(1)
    copied = Study(study.copy(folder).folder)
    copied.keep = study.keep
    return copied


@pytest.fixture(scope="module", params=[KEPT, INLINE], ids=["kept", "inline"])
def finished(request, tmp_path_factory):
    return finish(tmp_path_factory.mktemp("filtered") / "project", request.param)


@pytest.fixture
def study(finished, tmp_path):
    return copy(finished, tmp_path / "project")


def filtered_images(study):
    return sorted(path.name for path in study.results.glob("discs/filtered/*.zarr"))


def jobs(filter=0, histogram=0, tile_histograms=0, **others):
    """Jobs per rule, without those that do not run."""
    counted = {"filter": filter, "histogram": histogram, "tile_histograms": tile_histograms}
    # which adds histograms up
    counted["guard"] = min(histogram, 1)
    return {rule: number for rule, number in (counted | others).items() if number}


def masks(number):
    """Jobs of so many masks, and what follows them."""
    return {"threshold": number, "validate": number, "overlay": number, **SUMMARY}


def test_first_run(study):
    assert filtered_images(study) == (["flat.zarr", "smooth.zarr"] if study.is_kept else [])
    assert {row["method"] for row in study.rows("metrics.tsv")} == set(METHODS)


def test_a_changed_method_runs_alone(study):
    study.settings(methods={"otsu": METHODS["otsu"] | {"threshold": {"manual": 80}}})
    run = study.succeed_at_once()
    assert run.jobs == masks(2) | {"errors": 2}
    assert "method=otsu" in run.output
    assert "method=li" not in run.output
    assert "method=flat" not in run.output


def test_a_changed_filter_runs_the_methods_that_have_it(study):
    study.settings(filters={"smooth": [{"gaussian": 2}]})
    run = study.succeed_at_once()
    assert run.jobs == masks(4) | {"errors": 2} | jobs(
        filter=2 if study.is_kept else 0, histogram=2, tile_histograms=2
    )
    assert "method=otsu" in run.output
    assert "method=li" in run.output
    assert "method=flat" not in run.output
    assert "filter=flat" not in run.output


def test_edited_code_of_filters_runs_all_masks(study):
    before = study.rows("discs/flat/thresholds/0/0/0.tsv")
    edit(
        study.folder / "scripts/tilewise/segment/filters.py",
        "plane = apply(plane",
        "plane = ~apply(plane",
    )
    run = study.succeed_at_once()
    filtering = {"filter": 4 if study.is_kept else 0, "histogram": 2, "tile_histograms": 4}
    assert run.jobs == masks(6) | {"errors": 2} | jobs(**filtering)
    assert study.rows("discs/flat/thresholds/0/0/0.tsv") != before


def test_a_changed_image_runs_what_its_block_is_part_of(study):
    image, _ = blobs(rows=64, columns=64, seed=3)
    write_planes(study.folder / "image", image[1:] // 2, first=2)
    run = study.succeed_at_once()
    # the threshold of li is that of both blocks; viewers show the image by its grey levels
    filtering = {"filter": 2 if study.is_kept else 0, "histogram": 1, "tile_histograms": 2}
    shown = {"contrast": 1, "metadata": 1}
    assert run.jobs == masks(4) | {"ingest": 1, "errors": 2} | shown | jobs(**filtering)


def test_an_added_method_runs_alone(study):
    study.settings(methods={"yen": {"filter": "smooth", "threshold": "yen", "fallback": "empty"}})
    run = study.succeed_at_once()
    assert run.jobs == masks(2) | {"errors": 2, "metadata": 1}
    assert "method=yen" in run.output
    for method in METHODS:
        assert f"method={method}" not in run.output
    assert {row["method"] for row in study.rows("metrics.tsv")} == {*METHODS, "yen"}
    assert study.array("discs/image.zarr/labels/yen/0").any()


def test_more_levels_are_made_at_once(study):
    assert not list(study.results.glob("**/image.zarr/**/1/c/*/0/0"))
    study.settings(pyramid={"levels": 1})
    run = study.succeed_at_once()
    assert run.jobs["metadata"] == 1
    writers = {"ingest": 2, "ingest_truth": 2, "threshold": 6, "validate": 6, "errors": 2}
    assert writers.items() <= run.jobs.items()
    labels = ["truth", "errors", *METHODS, *(f"{method}-confusion" for method in METHODS)]
    for array in (".", *(f"labels/{label}" for label in labels)):
        reduced = study.array(f"discs/image.zarr/{array}/1")
        assert reduced.shape == (2, 32, 32)
        assert reduced.any()


def test_where_filtered_images_are_deleted_again_siblings_run_again(tmp_path):
    study = copy(finish(tmp_path / "finished", TEMPORARY), tmp_path / "project")
    assert not list(study.results.glob("discs/filtered/**/c/*/*/*"))
    study.settings(methods={"otsu": METHODS["otsu"] | {"threshold": {"manual": 80}}})
    run = study.succeed_at_once()
    # the filter's files are new: what has read them reads them again, and nothing else; but masks
    # that wait for the sample, which says the same
    expected = masks(4) | {"threshold": 2, "errors": 2}
    assert run.jobs == expected | jobs(filter=2, histogram=2)
    assert "method=li" in run.output
    assert "method=flat" not in run.output
    assert "filter=flat" not in run.output
    assert not list(study.results.glob("discs/filtered/**/c/*/*/*"))
