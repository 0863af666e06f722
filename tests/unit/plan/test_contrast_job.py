"""From which pixels the contrast of a stack's images comes."""

from studies import (
    OTSU,
    S,
    collected_study,
    imagined_sample,
    imagined_study,
    study_of,
    with_defaults,
)

from tilewise.plan import contrast


def test_some_tiles_of_a_large_sample_and_the_blocks_that_have_them():
    # 20 planes of 10 x 10 tiles
    study = imagined_study((20, 160, 160), (2, 80, 160))
    job = contrast.contrast(study, "s")
    (part,) = job.parts
    tiles = part["tiles"]
    assert len(tiles) == contrast.MOST_TILES
    blocks = {f"{z // 2}/{row // 5}/0" for z, row, _ in tiles}
    assert set(job.blocks) == blocks
    assert job.images == [f"results/s/image.zarr/0/c/{block}" for block in job.blocks]
    assert (job.rois, job.colors, job.step) == ([], [], 1)
    # the same of other blocks
    other = contrast.contrast(imagined_study((20, 160, 160), (20, 160, 160)), "s")
    assert other.parts[0]["tiles"] == tiles
    assert other.blocks == ["0/0/0"]


def test_large_tiles_count_in_part():
    # 64 tiles of 1024 px: one of 16 pixels makes four million
    config = with_defaults({"tile": 1024})
    study = study_of([imagined_sample("s", (64, 1024, 1024))], config)
    assert contrast.contrast(study, "s").step == 4


def test_samples_of_a_shared_stack_have_as_many_tiles():
    study = collected_study()
    job = contrast.contrast(study, S)
    assert [(part["sample"], part["offset"], part["tiles"]) for part in job.parts] == [
        *(("a", 0, [[0, 0, 0]]), ("b", 1, [[0, 0, 0]]), ("c", 2, [[0, 0, 0], [1, 0, 0]])),
        *(("d", 4, [[0, 0, 0]]), ("e", 5, [[0, 0, 0]])),
        ("f", 8, [[0, 0, 0], [1, 0, 0], [2, 0, 0]]),
    ]
    assert job.blocks == ["0/0/0", "1/0/0", "2/0/0"]


def test_of_many_samples_some_count():
    config = with_defaults({"collect": {}})
    study = study_of([imagined_sample(f"s{number}") for number in range(130)], config)
    (stack,) = study.stacks
    parts = contrast.contrast(study, stack).parts
    assert [part["sample"] for part in parts] == [f"s{number}" for number in range(0, 130, 3)]


def test_methods_change_nothing():
    few, more = (
        imagined_study((2, 64, 64), (1, 64, 64), methods=methods)
        for methods in (OTSU, OTSU | {"li": {"threshold": "li"}})
    )
    assert contrast.contrast(few, "s") == contrast.contrast(more, "s")
    assert contrast.files(more) == ["results/s/contrast.json"]
