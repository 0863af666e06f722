import zipfile

import numpy as np
import pytest

from tilewise.arrays import read_arrays

ARRAYS = {"counts": np.arange(6), "centers": np.linspace(0, 1, 6)}


def refusal(path):
    return f"{path} is damaged: delete it, and the next run makes it again"


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_no_damage_gives_other_arrays(tmp_path, save):
    path = tmp_path / "some.npz"
    save(path, **ARRAYS)
    data, refusals = path.read_bytes(), []
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 1 << position % 8
        path.write_bytes(damaged)
        try:
            found = read_arrays(path, ARRAYS)
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
            read_arrays(path, ARRAYS)


def test_a_missing_array_is_refused(tmp_path):
    path = tmp_path / "some.npz"
    np.savez(path, **ARRAYS)
    np.testing.assert_array_equal(read_arrays(path, ["counts"])["counts"], np.arange(6))
    with pytest.raises(ValueError, match=refusal(path)):
        read_arrays(path, ["counts", "other"])


def test_a_missing_file_is_no_damage(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_arrays(tmp_path / "none.npz", ARRAYS)


def test_a_member_that_is_no_array_is_refused(tmp_path):
    path = tmp_path / "some.npz"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("counts.npy", b"text")
    with pytest.raises(ValueError, match=refusal(path)):
        read_arrays(path, ["counts"])
