import hashlib
import importlib.metadata
import json
import platform

import numpy as np
import tifffile

from tilewise import provenance
from tilewise.read import sources
from tilewise.read.sources import Planes, record, write


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def recorded(folder, places):
    """What jobs record of planes of files, each job its own list of places."""
    records = []
    for number, own in enumerate(places):
        planes = [Planes(str(folder / name), first, n) for name, first, n in own]
        write(folder / f"{number}.json", record(planes), revision=f"revision {number}")
        records.append(json.loads((folder / f"{number}.json").read_text()))
    return records


def test_inputs_are_the_same_in_two_folders_and_at_any_time(tmp_path):
    found = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        for plane in range(2):
            tifffile.imwrite(tmp_path / name / f"p{plane}.tif", np.full((4, 5), plane, np.uint8))
        # blocks are others in the second folder, and so are times
        places = [[("p0.tif", 0, 1), ("p1.tif", 0, 1)]]
        places = places if name == "one" else [[("p1.tif", 0, 1)], [("p0.tif", 0, 1)]]
        found.append(provenance.of_inputs(recorded(tmp_path / name, places)))
    assert found[0] == found[1]
    assert (found[0]["files"], found[0]["planes"]) == (2, 2)
    listed = found[0]["listed"]
    assert [one["file"] for one in listed] == ["p0.tif", "p1.tif"]
    lines = "".join(f"p{i}.tif 0 1 {listed[i]['crc32c']}\n" for i in range(2))
    assert found[0]["sha256"] == sha256(lines)


def test_another_pixel_is_another_input(tmp_path):
    pixels = np.zeros((3, 4, 5), np.uint8)
    found = []
    for value in (0, 1):
        pixels[2, 1, 1] = value
        tifffile.imwrite(tmp_path / "stack.tif", pixels, photometric="minisblack")
        sources.stamp.cache_clear()
        sources.checksum.cache_clear()
        blocks = [[("stack.tif", 0, 2)], [("stack.tif", 2, 1)]]
        found.append(provenance.of_inputs(recorded(tmp_path, blocks)))
    assert found[0]["sha256"] != found[1]["sha256"]
    assert [one["files"] for one in found] == [1, 1]
    assert [one["planes"] for one in found] == [3, 3]


def test_of_many_files_there_is_no_list():
    read = [[[f"folder/{i:05}.tif", 0, 1], [1000, i], i] for i in range(20000)]
    found = provenance.of_inputs([{"revision": "", "sources": read}])
    assert found["files"] == found["planes"] == 20000
    assert len(json.dumps(found)) < 200
    few = provenance.of_inputs([{"revision": "", "sources": read[: provenance.LISTED]}])
    assert len(few["listed"]) == provenance.LISTED
    assert few["listed"][10] == {"file": "00010.tif", "first": 0, "planes": 1, "crc32c": "0000000a"}


def test_code_is_names_and_contents(tmp_path):
    (tmp_path / "rules").mkdir()
    files = [tmp_path / "rules/b.smk", tmp_path / "a.py"]
    for path, text in zip(files, ("b", "a"), strict=True):
        path.write_text(text)
    expected = sha256(f"{sha256('a')} a.py\n{sha256('b')} rules/b.smk\n")
    assert provenance.of_code(files, tmp_path) == expected
    assert provenance.of_code(reversed(files), tmp_path) == expected
    files[0].write_text("c")
    assert provenance.of_code(files, tmp_path) != expected


def test_files_of_methods_go_by_their_names(tmp_path):
    for name in ("z/psf.tif", "y/net.onnx"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(name)
    paths = [tmp_path / "z/psf.tif", tmp_path / "y/net.onnx"]
    assert provenance.of_files(paths, [["a"], ["b", "c"]]) == [
        {"file": "net.onnx", "sha256": sha256("y/net.onnx"), "methods": ["b", "c"]},
        {"file": "psf.tif", "sha256": sha256("z/psf.tif"), "methods": ["a"]},
    ]


def test_versions_are_of_what_is_installed():
    requirements = "# a comment\nnumpy>=2\nno-such-library>=1\nscikit-image\n"
    assert provenance.versions(requirements) == {
        "python": platform.python_version(),
        "numpy": importlib.metadata.version("numpy"),
        "scikit-image": importlib.metadata.version("scikit-image"),
    }
