"""Memory, minutes, threads and submissions of jobs."""

from dataclasses import replace
from math import inf

import networks
import pytest
from studies import (
    imagined_sample,
    imagined_study,
    make_study,
    study_of,
    with_defaults,
    write_sample,
)

from tilewise.plan import ingest, resources, segment, validate

METHODS = {
    "otsu": {"threshold": "otsu", "filter": "even"},
    "local": {"threshold": {"sauvola": {"size": 31}}, "filter": "smooth"},
}
FILTERS = {"smooth": [{"median": 5}], "even": ["equalize"]}
INLINE = {"keep_filtered": "auto", "keep_filtered_limit": 0}
BASE = 250
"""Megabytes of Python and its libraries."""


def large_study(planes=4, dtype="uint8", **settings):
    """A stack of 4096 x 4096 px, 16 Mi, in one block; a strip of tiles has 2 Mi."""
    shape = (planes, 4096, 4096)
    settings = {"tile": 512, "filters": FILTERS, "methods": METHODS} | settings
    return imagined_study(shape, shape, dtype=dtype, **settings)


@pytest.mark.parametrize(
    ("cores", "blocks", "methods", "of_block", "of_method"),
    [
        (8, 1, 2, 8, 4),
        (8, 2, 2, 4, 2),
        # 8 cores for 6 jobs
        (8, 2, 3, 4, 1),
        (8, 16, 2, 1, 1),
        (1, 1, 1, 1, 1),
        # a cluster's scheduler has the cores
        (None, 1, 2, 1, 1),
    ],
)
def test_threads_where_there_are_fewer_jobs_than_cores(cores, blocks, methods, of_block, of_method):
    configured = {f"m{number}": {"threshold": "otsu"} for number in range(methods)}
    study = imagined_study((blocks, 32, 32), (1, 32, 32), cores=cores, methods=configured)
    assert ingest.image(study, "s", "0/0/0").need.threads == of_block
    assert segment.threshold_need(study, "s", "segmentation", "0/0/0").threads == of_block
    assert segment.threshold_need(study, "s", "m0", "0/0/0").threads == of_method
    assert validate.validate(study, "s", "m0", "0/0/0").need.threads == of_method
    assert validate.validate(study, "s", "segmentation", "0/0/0").need.threads == of_block


def test_threads_of_sweeps_count_the_methods_that_have_one():
    grid = {"threshold": "manual", "grid": {"value": [1, 2]}}
    methods = {"a": grid, "b": grid, "fixed": {"threshold": "otsu"}}
    study = imagined_study((1, 32, 32), (1, 32, 32), cores=8, methods=methods)
    assert resources.sweep(study, "s", "a").threads == 4


def test_threads_count_the_blocks_of_all_samples():
    study = imagined_study((1, 32, 32), (1, 32, 32), cores=8, names=("a", "b"))
    assert resources.threads(study) == 4


def test_memory_of_strips():
    # 2 Mi pixels of 16 bytes
    assert resources.by_strips(large_study(), "s").memory == BASE + 32
    assert resources.by_strips(large_study(dtype="uint16"), "s").memory == BASE + 64
    assert resources.by_strips(large_study(dtype="float32"), "s").memory == BASE + 128
    # a strip per thread, and eight cores for one block
    assert resources.by_strips(large_study(cores=8), "s").memory == BASE + 8 * 32
    # a plane that has no more rows than a strip
    study = imagined_study((1, 256, 4096), (1, 512, 4096), tile=512)
    assert resources.by_strips(study, "s").memory == BASE + 16


def test_memory_of_whole_planes():
    study = large_study()
    # the image, and its only channel decoded and copied: 3 x 16 MiB
    assert ingest.image(study, "s", "0/0/0").need.memory == BASE + 48
    assert segment.filtered(study, "s", "even", "0/0/0").need.memory == BASE + 8 * 16
    # 512 + 2 x 2 rows of 4096: 32.25 MiB
    assert segment.filtered(study, "s", "smooth", "0/0/0").need.memory == BASE + 32
    # many threads do not hold many planes: 2 ** 28 pixels at once, 16 planes
    many = large_study(cores=64)
    assert segment.filtered(many, "s", "even", "0/0/0").need.memory == BASE + 16 * 8 * 16


def test_memory_of_masks():
    def memory(study, method):
        return segment.threshold_need(study, "s", method, "0/0/0").memory

    kept = large_study(keep_filtered=True)
    assert memory(kept, "otsu") == BASE + 32
    # 512 + 2 x 15 rows of 4096 pixels of 16 bytes and two doubles: 67.75 MiB
    assert memory(kept, "local") == BASE + 68
    assert memory(kept, "segmentation") == memory(kept, "local")
    inline = large_study(**INLINE)
    # a strip, 2 Mi pixels of 16 bytes, beside the planes of the filter, 16 Mi pixels of 8 bytes
    assert memory(inline, "otsu") == BASE + 32 + 128
    # 512 + 2 x 17 rows: 68.25 MiB
    assert memory(inline, "local") == BASE + 68
    assert memory(inline, "segmentation") == memory(inline, "otsu")
    # doubles are no larger for other pixels: 2.12 Mi pixels of 32 + 16 bytes
    assert memory(large_study(keep_filtered=True, dtype="uint16"), "local") == BASE + 102


def test_memory_of_masks_of_whole_planes():
    method = {"threshold": "otsu", "cleanup": [{"fill_holes": 20}]}
    for dtype, of_pixels in (("uint8", 8), ("uint16", 16)):
        study = large_study(keep_filtered=True, dtype=dtype, methods={"m": method})
        # 16 Mi pixels: eight planes, four masks, and labels of a band of 4 Mi pixels
        expected = BASE + 16 * (of_pixels + 4) + 50
        assert segment.threshold_need(study, "s", "m", "0/0/0").memory == expected


@pytest.mark.parametrize("cores", [None, 3, 64])
@pytest.mark.parametrize("keep", [True, False, "auto"])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_segmentation_takes_what_any_variant_may_take(cores, keep, dtype):
    grid = {"filter": [None, "smooth", "even"], "scope": ["tile", "plane", "sample"]}
    methods = METHODS | {
        "swept": {"threshold": "otsu", "grid": grid},
        "large": {"threshold": "sauvola", "grid": {"size": [15, 301]}, "filter": "even"},
    }
    settings = {"keep_filtered": keep, "keep_filtered_limit": 0, "methods": methods}
    study = large_study(cores=cores, dtype=dtype, **settings)
    decided = segment.threshold_need(study, "s", "segmentation", "0/0/0").memory
    for name, method in methods.items():
        assert segment.threshold_need(study, "s", name, "0/0/0").memory <= decided
        # each of its variants as the only one
        for variant in study.methods[name].variants:
            entry = {key: method[key] for key in method if key not in ("grid", "filter")}
            entry |= {"scope": variant.segmenter.scope, "threshold": variant.segmenter.threshold}
            if variant.segmenter.settings:
                entry["threshold"] = {variant.segmenter.threshold: variant.segmenter.settings}
            entry["filter"] = None if variant.filter == "image" else variant.filter
            alone = large_study(
                cores=cores, dtype=dtype, **settings | {"methods": {"alone": entry}}
            )
            assert segment.threshold_need(alone, "s", "alone", "0/0/0").memory <= decided


def test_the_method_that_is_applied_is_the_only_candidate():
    applied = large_study(keep_filtered=True, apply="otsu")
    assert segment.threshold_need(applied, "s", "segmentation", "0/0/0").memory == BASE + 32


def test_memory_of_a_network(tmp_path):
    model = tmp_path / "model.onnx"
    model.write_bytes(networks.convolution([[[1]]]))
    methods = {"m": {"threshold": {"onnx": str(model)}}}
    # 512 + 2 x 543 rows of 4096 pixels of 16 bytes: 100 MiB;
    # 256 channels of 577 x 577 pixels of 4 bytes: 325 MiB, in each thread
    one = large_study(keep_filtered=True, methods=methods)
    assert segment.threshold_need(one, "s", "m", "0/0/0").memory == BASE + 100 + 325
    two = large_study(keep_filtered=True, methods=methods, cores=2)
    assert segment.threshold_need(two, "s", "m", "0/0/0").memory == BASE + 2 * (100 + 325)


def test_memory_and_minutes_of_structure():
    plane, sample = (
        resources.structure(large_study(validate={"extent": extent}), "s")
        for extent in ("plane", "sample")
    )
    # 40 bytes of 16 Mi pixels, and of four times as many
    assert plane.memory == 300 + 640
    assert sample.memory == 300 + 2560
    # a million pixels a second: 67.1 million are a minute
    assert sample.runtime == 5 + 1


def test_minutes_of_a_block():
    # 2 million pixels a second: 8 x 16.8 million are one whole minute
    assert resources.runtime(large_study(planes=4), "s") == 5
    assert resources.runtime(large_study(planes=8), "s") == 5 + 1


def test_minutes_of_slow_filters():
    # 134 million pixels, of whole planes: 0.5 s each, and 0.02 s for each of 13 x 13 places
    slow = {"slow": ["invert", "nlm"], "fast": [{"median": 3}]}
    study = large_study(planes=8, filters=slow, methods={"m": {"threshold": "otsu"}})
    assert resources.runtime(study, "s", ["fast"]) == 5 + 1
    assert resources.runtime(study, "s", ["slow", "fast"]) == 5 + int(134.2 * (0.5 + 3.38) / 60)
    assert resources.by_strips(study, "s", filter="slow").runtime == 5 + 8
    # a window of 7 x 7 in strips of tiles, with 3 pixels around them
    near = {"near": [{"bilateral": {"size": 7, "levels": 20}}]}
    study = large_study(planes=8, filters=near, methods={"m": {"threshold": "otsu"}})
    assert resources.runtime(study, "s", ["near"]) == 5 + int(134.2 * (0.5 + 1.48) / 60)


def test_a_sweep_takes_as_long_as_all_of_its_parameters():
    grid = {"m": {"threshold": "manual", "grid": {"value": [1, 2, 3]}}}
    study = large_study(planes=8, methods=grid)
    assert resources.sweep(study, "s", "m").runtime == 3 * (5 + 1)
    # 2 Mi pixels of 20 bytes
    assert resources.sweep(study, "s", "m").memory == BASE + 40


@pytest.mark.parametrize(
    ("shape", "block", "words", "ingested", "filtered"),
    [
        # straight from the image to the mask
        ((2, 32, 32), (1, 32, 32), {"fallback": "empty"}, "segment", "segment"),
        # all blocks are counted first; a single block counts itself
        ((2, 32, 32), (1, 32, 32), {}, "prepare", "prepare"),
        ((2, 32, 32), (1, 32, 32), {"scope": "sample"}, "prepare", "prepare"),
        ((2, 32, 32), (2, 32, 32), {"scope": "sample"}, "segment", "segment"),
        # filters read the neighbours
        ((1, 32, 32), (1, 16, 32), {"fallback": "empty"}, "ingest", "prepare"),
    ],
)
def test_submissions_are_cut_where_they_wait_for_other_blocks(
    shape, block, words, ingested, filtered
):
    methods = {"m": {"threshold": "otsu", "filter": "smooth", **words}}
    study = imagined_study(shape, block, filters=FILTERS, methods=methods)
    assert ingest.image(study, "s", "0/0/0").need.group == ingested
    assert segment.filtered(study, "s", "smooth", "0/0/0").need.group == filtered
    assert segment.histogram(study, "s", "smooth", "0/0/0").need.group == filtered
    # which a checkpoint does
    waits = shape[0] == 2 and block[0] == 1 and words != {"fallback": "empty"}
    group = segment.threshold_need(study, "s", "m", "0/0/0").group
    assert group == ("guarded" if waits else "segment")


def test_histograms_of_floats_wait_for_extents():
    study = imagined_study((2, 32, 32), (1, 32, 32), dtype="float32")
    assert segment.histogram(study, "s", "image", "0/0/0").need.group == "count"


def test_submissions_wait_for_choices(tmp_path):
    methods = {
        "fixed": {"threshold": "otsu"},
        "swept": {"threshold": "manual", "grid": {"value": [1, 2]}},
    }
    study = make_study(tmp_path, write_sample(tmp_path, "s", truth=(0,)), methods=methods)
    groups = {
        method: segment.threshold_need(study, "s", method, "0/0/0").group
        for method in ("fixed", "swept", "segmentation")
    }
    assert groups == {"fixed": "segment", "swept": "chosen", "segmentation": "apply"}
    assert validate.validate(study, "s", "swept", "0/0/0").need.group == "chosen"
    assert validate.errors(study, "s", "0/0/0").need.group == "compare"


def test_minutes_of_a_mask_count_the_passes_for_the_histogram():
    def minutes(**settings):
        study = large_study(planes=8, **settings)
        return resources.threshold(study, "s", "m").runtime

    tile, sample = ({"m": {"threshold": "otsu", "scope": one}} for one in ("tile", "sample"))
    assert minutes(methods=tile) == 2 * 6
    alone = {"m": {"threshold": "otsu", "fallback": "empty"}}
    assert minutes(methods=alone) == 6
    assert minutes(methods=sample) == 2 * 6
    # floats: their extent first
    assert minutes(methods=sample, dtype="float32") == 3 * 6


def companions(*shapes, dtype="uint8", cores=None, **settings):
    """A stack of samples of at most 4 x 4 tiles of 512 px: blocks of 16 planes of 4 Mi pixels."""
    config = {"tile": 512, "filters": FILTERS, "methods": METHODS, "collect": {}} | settings
    samples = [imagined_sample(f"s{i}", shape, dtype, truth=[0]) for i, shape in enumerate(shapes)]
    study = study_of(samples, with_defaults(config), cores)
    (stack,) = study.stacks
    return study, stack


@pytest.mark.parametrize("keep", [{"keep_filtered": True}, INLINE])
@pytest.mark.parametrize("extent", ["plane", "sample"])
def test_companions_change_no_memory(keep, extent):
    def needs(*shapes):
        settings = {"validate": {"extent": extent}, **keep}
        study, stack = companions(*shapes, **settings)
        assert stack == "_small_uint8_4"
        return {
            "image": ingest.image(study, stack, "0/0/0").need,
            "even": segment.filtered(study, stack, "even", "0/0/0").need,
            "strips": resources.by_strips(study, stack),
            "structure": resources.structure(study, stack),
            **{method: segment.threshold_need(study, stack, method, "0/0/0") for method in METHODS},
        }

    first, second = (1, 600, 100), (16, 2048, 2048)
    alone = needs(first)
    assert alone == needs(first, second) == needs(second)
    memory = {kind: need.memory for kind, need in alone.items()}
    # that of any sample: three tile rows, which may be a plane of larger tiles, 3 Mi pixels of 16
    # bytes; a plane of 4 Mi, of 3 or 8 bytes
    assert (memory["strips"], memory["image"], memory["even"]) == (BASE + 48, BASE + 12, BASE + 32)
    # one plane or sixteen, of 40 bytes a pixel
    assert memory["structure"] == 300 + (160 if extent == "plane" else 2560)


def test_memory_of_collected_samples_that_are_decoded_at_once():
    study, stack = companions(*[(1, 600, 600)] * 8, cores=8)
    # a plane of 4 Mi pixels for each thread: of the image 3 bytes a pixel, of the truth 3
    assert ingest.image(study, stack, "0/0/0").need == resources.Need(
        BASE + 8 * 12, 5, 8, "segment"
    )
    assert ingest.truth(study, stack, "0/0/0").need.memory == BASE + 8 * 12
    # a sample by itself is decoded by one thread after another
    study, stack = companions((1, 600, 600), cores=8, collect={"side": 0})
    own = ingest.image(study, stack, "0/0/0").need
    assert (own.memory, own.threads) == (BASE + 1, 8)


def test_minutes_of_a_shared_block_are_those_of_a_full_one():
    # 16 planes of 4 Mi pixels are less than a minute at 2 Mpx/s, 64 are two
    study, stack = companions((1, 600, 100))
    assert resources.runtime(study, stack) == 5
    study, stack = companions((1, 600, 100), collect={"planes": 256})
    assert resources.runtime(study, stack) == 5 + 2


@pytest.mark.parametrize(
    ("decoded", "memory"),
    [
        # a plane of 16 MB in three buffers
        (0, 3 * 16),
        # chunks of 16 planes, all of which are kept, and 16 strips of 2 MB
        (256, 256 + 32),
        # a row of chunks
        (2, 2 + 32),
    ],
)
def test_memory_of_chunks_that_are_decoded_at_once(monkeypatch, decoded, memory):
    study = large_study()
    monkeypatch.setattr(resources, "_decoded", lambda *_: decoded * 2**20)
    assert resources.ingest(study, "s").memory == BASE + memory


def test_memory_of_collected_samples_of_deep_chunks():
    def needs(*decoded):
        shape = 16, 600, 600
        samples = [
            imagined_sample(f"s{size}", shape, truth=[0], decoded={"truth": size})
            for size in decoded
        ]
        samples = [
            replace(one, header=replace(one.header, at_once=size))
            for one, size in zip(samples, decoded, strict=True)
        ]
        config = {"tile": 512, "filters": FILTERS, "methods": METHODS, "collect": {}}
        study = study_of(samples, with_defaults(config))
        (stack,) = study.stacks
        return resources.ingest(study, stack).memory, resources.truth(study, stack).memory

    # a plane of 4 Mi pixels of 3 bytes: compressed planes are no larger
    assert needs(600 * 600) == (BASE + 12, BASE + 12)
    # 16 planes of chunks and strips of 3 Mi pixels of 16 bytes
    deep = BASE + 48 + 16 * 600 * 600 // 2**20
    assert needs(16 * 600 * 600) == needs(0, 16 * 600 * 600) == (deep, deep)


def test_memory_of_regions_of_interest():
    filters = {"near": [{"median": 9}], "even": ["equalize"]}
    methods = {name: {"threshold": "otsu", "filter": name} for name in filters}

    def memory(roi, filter):
        config = {"tile": 512, "filters": filters, "methods": methods, "collect": {"side": 0}}
        sample = imagined_sample("s", (1, 4096, 4096), is_framed=roi)
        study = study_of([sample], with_defaults(config))
        return segment.filtered(study, "s", filter, "0/0/0").need.memory

    sample = imagined_sample("s", (1, 4096, 4096), is_framed=True)
    method = {"threshold": "otsu", "cleanup": ["fill_holes"]}
    config = {"tile": 512, "methods": {"m": method}, "collect": {"side": 0}}
    study = study_of([sample], with_defaults(config))
    # eight planes, and four bytes of masks and of the region
    own = segment.threshold_need(study, "s", "m", "0/0/0").memory
    assert own == BASE + 50 + 16 * (8 + 4 + 4)
    # where the nearest pixel inside is, 16 bytes of each pixel of a plane
    assert memory(True, "even") == memory(False, "even") + 16 * 16
    # 4 pixels around a strip, 6 more that are filled in, and 4 more of a strip of 512 columns
    rows, columns = 512 + 2 * 4 + 2 * 6, 4096
    filled = (rows * (512 + 2 * 6) * 100 + rows * (columns + 12) * 4) / 2**20
    assert memory(True, "near") - memory(False, "near") == pytest.approx(filled, abs=1)


def test_collected_samples_are_not_asked_one_by_one(monkeypatch):
    # each of their blocks has all of them to ask: with 20,000 samples, that took hours
    study, stack = companions((1, 600, 600), collect={"planes": 256})
    monkeypatch.setattr(type(study), "waits_for_sample", None)
    assert resources.ingest_group(study, stack) == "segment"


def test_collected_samples_of_several_blocks_count_themselves():
    methods = {"m": {"threshold": "otsu", "scope": "sample", "filter": "smooth"}}
    study, stack = companions((9, 600, 600), (9, 600, 600), methods=methods)
    assert study.blocks(stack) == ["0/0/0", "1/0/0"]
    assert not resources.has_histograms(study, stack)
    # no wait for other blocks, and a pass for the histogram
    assert ingest.image(study, stack, "0/0/0").need.group == "segment"
    study, stack = companions((1, 600, 600), methods=methods, collect={"planes": 256})
    assert segment.threshold_need(study, stack, "m", "0/0/0").runtime == 2 * (5 + 2)


def test_threads_count_blocks_and_not_samples():
    study, _ = companions(*[(4, 600, 600)] * 8, cores=8)
    # four samples in each of two blocks
    assert resources.threads(study) == 4
    # an overlay has them in a shared stack, where parts share them
    (stack,) = study.stacks
    assert validate.overlay(study, stack, "otsu", "0/0/0").need.threads == 2


def test_memory_of_a_filter_that_takes_planes_of_doubles():
    filters = {"plain": ["equalize"], "wavelet": ["wavelet"]}
    methods = {name: {"threshold": "otsu", "filter": name} for name in filters}
    for dtype, bytes_per_pixel in (("uint8", 1), ("float32", 4)):
        study = large_study(dtype=dtype, filters=filters, methods=methods)
        plain, wavelet = (
            segment.filtered(study, "s", name, "0/0/0").need.memory for name in filters
        )
        # 16 Mi pixels: eight planes, and 52 bytes a pixel
        assert plain == BASE + 16 * 8 * bytes_per_pixel
        assert wavelet == plain + 16 * 52


def test_memory_of_a_filter_that_looks_far():
    # 6 pixels each way, and as much with each of 10 iterations but one, twice: 114
    methods = {"m": {"threshold": "otsu", "filter": "far"}}
    study = large_study(filters={"far": [{"deconvolve": 1.5}]}, methods=methods)
    # 512 + 2 x 114 rows of 4096 pixels of 16 bytes; and five arrays of doubles of a band of
    # 4 x 114 rows, with 114 pixels around it: 684 rows of 4324 pixels
    expected = (740 * 4096 * 16 + 684 * 4324 * 5 * 8) / 2**20
    assert segment.filtered(study, "s", "far", "0/0/0").need.memory == BASE + round(expected)


def test_what_is_filtered_already_is_not_filtered_again():
    methods = {name: {"threshold": "otsu", "filter": name} for name in ("even", "waves")}
    filters = FILTERS | {"waves": ["wavelet"]}
    for keep, own in ((True, 40), (False, 128 + 16 * 52)):
        study = large_study(keep_filtered=keep, methods=methods, filters=filters)
        # 2 Mi pixels of 16 bytes of a mask, and of 20 bytes of histograms; if they are deleted,
        # tables of annotated tiles filter a plane
        assert segment.threshold_need(study, "s", "waves", "0/0/0").memory == BASE + 32
        assert resources.by_filtered(study, "s", "waves").memory == BASE + own
        own = resources.by_filtered(study, "s", "waves", takes_temporary=True).memory
        assert own == BASE + 40


def test_memory_of_votes_is_that_of_filters_too():
    methods = {name: {"threshold": "otsu", "filter": name} for name in ("even", "waves")}
    methods["vote"] = {"threshold": {"vote": ["even", "waves"]}}
    filters = FILTERS | {"waves": ["wavelet"]}
    study = large_study(keep_filtered=True, methods=methods, filters=filters)
    # a plane of 16 Mi pixels of 8 bytes and of 52, and one that each of both filters keeps
    expected = BASE + 16 * (8 + 52 + 2)
    assert segment.threshold_need(study, "s", "vote", "0/0/0").memory == expected


def test_memory_of_filters_of_whole_planes_in_the_job_of_a_mask():
    filters = FILTERS | {"waves": ["wavelet"], "far": [{"deconvolve": 1.5}]}
    methods = {
        "waves": {"threshold": "otsu", "filter": "waves"},
        "far": {"threshold": "otsu", "filter": "far", "scope": "plane"},
    }
    study = large_study(filters=filters, methods=methods, **INLINE)
    # a strip of 2 Mi pixels of 16 bytes beside a plane of 16 Mi pixels of 8 bytes and 52
    expected = BASE + 32 + 16 * (8 + 52)
    assert segment.threshold_need(study, "s", "waves", "0/0/0").memory == expected
    # a plane of 8 bytes, and five arrays of doubles of a band of 684 rows
    expected = BASE + 16 * 8 + 684 * 4324 * 40 / 2**20
    assert segment.threshold_need(study, "s", "far", "0/0/0").memory == round(expected)


def test_memory_of_labels_is_the_same_for_all_pixels():
    for dtype in ("uint8", "uint16", "float32"):
        study = large_study(dtype=dtype)
        assert validate.validate(study, "s", "otsu", "0/0/0").need.memory == BASE + 32


def test_memory_of_trials_that_share_pixels():
    def memory(**method):
        return resources.sweep(large_study(methods={"m": method}), "s", "m").memory

    # 512 + 2 x 15 rows of 4096 pixels: 20 bytes, three doubles, and thresholds of two windows
    grid = {"size": [31, 21], "offset": [0, 5]}
    local = memory(threshold={"adaptive": {"size": 31, "weights": "mean"}}, grid=grid)
    assert local == BASE + round(542 * 4096 * (20 + 24 + 16) / 2**20)
    # a plane of 16 Mi pixels of 8 bytes, and that of the filter, which is kept
    whole = memory(threshold="otsu", grid={"filter": ["even", "smooth"]})
    assert whole == BASE + 16 * (8 + 1)


def test_pixels_are_drawn_before_anything_is_cleaned_up():
    learned = {"threshold": "pixel_classifier"}
    # `remove_small` goes by whole planes
    methods = {"learned": learned, "clean": learned | {"cleanup": [{"remove_small": 9}]}}
    study = imagined_study((1, 8192, 8192), (1, 512, 8192), methods=methods)
    plain, cleaned = (study.methods[name].variants[0] for name in methods)
    assert cleaned.segmenter.reach == inf > plain.segmenter.reach
    assert resources.draw(study, "s", cleaned) == resources.draw(study, "s", plain)
