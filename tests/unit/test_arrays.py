import zipfile

import numpy as np
import pytest

from tilewise.arrays import BatchWriter, read_arrays, read_batches

ARRAYS = {"counts": np.arange(6), "centers": np.linspace(0, 1, 6)}


def refusal(path):
    return f"{path} is damaged: delete it, and the next run makes it again"


def save_batches(path, **arrays):
    file = BatchWriter(path)
    file.write(**arrays)
    file.write(**{name: array + 1 for name, array in arrays.items()})
    file.close()


def read_first(path, names):
    first, second = read_batches(path, names)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(second[name], array + 1)
    return first


KINDS = [(np.savez, read_arrays), (save_batches, read_first)]


@pytest.mark.parametrize(("save", "read"), KINDS)
def test_no_damage_gives_other_arrays(tmp_path, save, read):
    path = tmp_path / "some.npz"
    save(path, **ARRAYS)
    data, refusals = path.read_bytes(), []
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 1 << position % 8
        path.write_bytes(damaged)
        try:
            found = read(path, ARRAYS)
        except ValueError as error:
            refusals.append(str(error))
        else:
            # a date or the like, which nobody reads
            for name, array in ARRAYS.items():
                np.testing.assert_array_equal(found[name], array)
    assert set(refusals) == {refusal(path)}
    assert len(refusals) > len(data) / 2
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(ValueError, match=refusal(path)):
            read(path, ARRAYS)


def test_batches_are_read_as_they_are_asked_for(tmp_path):
    path = tmp_path / "some.npz"
    save_batches(path, **ARRAYS)
    batches = read_batches(path, ["counts"])
    assert next(batches)["counts"].tolist() == [0, 1, 2, 3, 4, 5]
    assert next(batches)["counts"].tolist() == [1, 2, 3, 4, 5, 6]
    assert list(batches) == []
    BatchWriter(path).close()
    assert list(read_batches(path, ["counts"])) == []
    # the same values give the same bytes, whenever they are written
    save_batches(path, **ARRAYS)
    with zipfile.ZipFile(path) as file:
        kinds = {(member.date_time, member.compress_type) for member in file.infolist()}
    assert kinds == {((1980, 1, 1, 0, 0, 0), zipfile.ZIP_DEFLATED)}


def test_a_header_that_asks_for_less_is_refused(tmp_path):
    path = tmp_path / "some.npz"
    np.savez(path, counts=np.arange(10_000))
    path.write_bytes(path.read_bytes().replace(b"(10000,)", b"(2,)    "))
    with np.load(path) as packed:
        assert packed["counts"].tolist() == [0, 1]
    with pytest.raises(ValueError, match=refusal(path)):
        read_arrays(path, ["counts"])


def test_a_batch_without_an_array_is_refused(tmp_path):
    path = tmp_path / "some.npz"
    np.savez(path, **ARRAYS)
    with pytest.raises(ValueError, match=refusal(path)):
        list(read_batches(path, ARRAYS))


def test_a_missing_array_is_refused(tmp_path):
    path = tmp_path / "some.npz"
    np.savez(path, **ARRAYS)
    np.testing.assert_array_equal(read_arrays(path, ["counts"])["counts"], np.arange(6))
    with pytest.raises(ValueError, match=refusal(path)):
        read_arrays(path, ["counts", "other"])


def test_a_small_file_of_large_arrays_is_refused(tmp_path):
    path = tmp_path / "some.npz"
    np.savez_compressed(path, counts=np.zeros(10**6))
    with pytest.raises(ValueError, match=refusal(path)):
        read_arrays(path, ["counts"])


HEADERS = {
    "no memory": "{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776,)}",
    "no end": "{'descr': (",
    "no structure": "  {\n x",
    "too deep": "-" * 9000 + "1",
    "no text": "{'descr': '<f8', 'fortran_order': False, 'shape': (True,)}",
}


@pytest.mark.parametrize("text", HEADERS.values(), ids=HEADERS)
@pytest.mark.parametrize("name", ["counts", "0/counts", "batches"])
def test_an_array_with_a_hostile_header_is_refused(tmp_path, text, name):
    path = tmp_path / "some.npz"
    header = text.encode() + b"\n"
    member = b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header + b"\0" * 8
    kind = zipfile.ZIP_STORED if name == "counts" else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(path, "w", kind) as file:
        file.writestr(f"{name}.npy", member)
        if name == "0/counts":
            with file.open("batches.npy", "w") as other:
                np.lib.format.write_array(other, np.array(1))
    with pytest.raises(ValueError, match=refusal(path)):
        list((read_arrays if name == "counts" else read_batches)(path, ["counts"]))


@pytest.mark.parametrize("number", [[1, 2], 1.5, "1", -1, 3])
def test_another_number_of_batches_is_refused(tmp_path, number):
    path = tmp_path / "some.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name in ("0/counts", "batches"):
            with file.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, np.array(number))
    with pytest.raises(ValueError, match=refusal(path)):
        list(read_batches(path, ["counts"]))


def test_a_missing_file_is_no_damage(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_arrays(tmp_path / "none.npz", ARRAYS)


def test_a_member_that_is_no_array_is_refused(tmp_path):
    path = tmp_path / "some.npz"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("counts.npy", b"text")
    with pytest.raises(ValueError, match=refusal(path)):
        read_arrays(path, ["counts"])
