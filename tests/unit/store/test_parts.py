"""Parts of a job: what is listed, and work that is shared out over them."""

import threading

import cv2
import pytest

from tilewise.store.blocks import in_order
from tilewise.store.grid import Grid
from tilewise.store.parts import Part, each_part, each_strip_of, parts_of

GRID = Grid((2, 20, 30), 16, (4, 32, 32))
PARTS = [Part(name, GRID, "0/0/0", offset) for offset, name in enumerate("abc")]


def test_parts_are_what_is_listed():
    grid = {"shape": [2, 20, 30], "tile": 16, "block": [4, 32, 32], "edges": "keep"}
    listed = [
        {"sample": "b", "block": "0/0/0", "grid": grid, "offset": 3, "tiles": None, "roi": [1]},
        {"sample": "a", "block": "1/0/0", "grid": grid | {"shape": [5, 9, 9]}, "offset": 8},
    ]
    assert parts_of(listed) == [
        Part("b", GRID, "0/0/0", 3, {"tiles": None, "roi": [1]}),
        Part("a", Grid((5, 9, 9), 16, (4, 32, 32)), "1/0/0", 8, {}),
    ]
    assert parts_of([]) == []


def test_a_part_of_a_level_lies_on_the_same_planes():
    part = Part("a", GRID, "0/0/0", 7, {"word": 1})
    # 5 rows of 20 and 8 columns of 30, in a block of 8 x 8
    assert part.level(2) == Part("a", Grid((2, 5, 8), 8, (4, 8, 8)), "0/0/0", 7, {"word": 1})
    assert part.level(0) == part


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_what_is_returned_stays_in_order(threads):
    last = threading.Event()

    def work(part, _):
        # where several go at once, the first waits for one after it
        if threads > 1 and part.sample == "a":
            assert last.wait(20)
        if part.sample == "b":
            last.set()
        return part.sample

    assert each_part(work, PARTS, threads) == ["a", "b", "c"]
    assert each_part(work, [], threads) == []


def test_parts_go_on_at_once():
    # passed by all three together, or never
    together = threading.Barrier(3)

    def work(*_):
        together.wait(20)
        return threading.get_ident()

    assert len(set(each_part(work, PARTS, 3))) == 3


def test_no_more_parts_go_on_than_there_are_threads():
    lock, running, most = threading.Lock(), [0], [0]

    def work(*_):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        pause.wait(0.01)
        with lock:
            running[0] -= 1

    pause = threading.Event()
    each_part(work, PARTS * 4, 2)
    assert most == [2]


@pytest.mark.parametrize(
    ("parts", "threads", "own"), [(1, 8, 8), (2, 8, 4), (3, 8, 2), (3, 2, 1), (3, 1, 1)]
)
def test_parts_share_the_threads(parts, threads, own):
    assert each_part(lambda _, given: given, PARTS[:parts], threads) == [own] * parts


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_names_its_sample(threads):
    def work(part, _):
        if part.sample == "b":
            raise ValueError("truth.png is too small")

    with pytest.raises(ValueError, match=r"^sample b: truth\.png is too small$") as error:
        each_part(work, PARTS, threads)
    assert str(error.value.__cause__) == "truth.png is too small"


def test_errors_of_the_code_stay_what_they_are():
    def work(part, _):
        raise KeyError(part.sample)

    with pytest.raises(KeyError, match="^'a'$"):
        each_part(work, PARTS, 1)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_strips_of_parts_come_in_order_and_few_are_begun(threads):
    begun, taken = [], []

    def open_part(part):
        def work(number):
            begun.append((part.sample, number))
            return part.sample, number

        return work, range(5)

    pixels = GRID.shape[1] * GRID.shape[2]
    for found in each_strip_of(open_part, PARTS, pixels, threads):
        taken.append(found)
        # each worker has one in hand, and one that waits
        assert len(begun) < len(taken) + 2 * threads
    assert taken == [(sample, number) for sample in "abc" for number in range(5)]


def test_strips_too_large_to_be_in_memory_together():
    def open_part(_):
        return lambda _: threading.get_ident(), range(3)

    assert set(each_strip_of(open_part, PARTS, 2**28, 4)) == {threading.get_ident()}


@pytest.mark.parametrize(("workers", "own"), [(1, 4), (2, 2), (3, 1), (4, 1)])
def test_workers_share_the_threads_of_opencv(workers, own):
    before = cv2.getNumThreads()
    try:
        tasks = [cv2.getNumThreads] * 4
        assert list(in_order(tasks, workers, threads=4)) == [own] * 4
    finally:
        cv2.setNumThreads(before)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("is_late", [False, True])
def test_an_error_of_a_strip_names_its_sample(threads, is_late):
    def refuse(*_):
        raise ValueError("truth.png is too small")

    def open_part(part):
        if part.sample == "b" and not is_late:
            refuse()
        return refuse if part.sample == "b" else str, range(2)

    with pytest.raises(ValueError, match=r"^sample b: truth\.png is too small$"):
        list(each_strip_of(open_part, PARTS, 1, threads))
