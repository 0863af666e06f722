"""Which files of a folder are given out."""

import os

import pytest

from tilewise.serve.files import open_within, read_json, within


@pytest.fixture
def folder(tmp_path):
    """Results beside a secret, with a file, a folder, links and a pipe."""
    (tmp_path / "secret").write_text("secret")
    folder = tmp_path / "results"
    (folder / "inner").mkdir(parents=True)
    (folder / "plain").write_text("plain")
    (folder / "inner/with space, 50%").write_text("odd")
    (folder / "to_plain").symlink_to("plain")
    (folder / "to_inner").symlink_to(folder / "inner")
    (folder / "to_secret").symlink_to("../secret")
    (folder / "to_parent").symlink_to("..")
    (folder / "to_itself").symlink_to("to_itself")
    (folder / "to_nothing").symlink_to("nothing")
    (folder / "sibling").symlink_to(tmp_path / "results-other")
    (tmp_path / "results-other").mkdir()
    (tmp_path / "results-other/file").write_text("another folder, whose name begins alike")
    (folder / "back\\slash").write_text("a name that is a path elsewhere")
    os.mkfifo(folder / "pipe")
    return folder


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("plain", "plain"),
        ("%70lain", "plain"),
        ("inner/with%20space%2C%2050%25", "odd"),
        # links that stay inside
        ("to_plain", "plain"),
        ("to_inner/with%20space,%2050%25", "odd"),
    ],
)
def test_files_within_are_opened(folder, path, content):
    with open_within(folder, path) as file:
        assert file.read().decode() == content


@pytest.mark.parametrize(
    "path",
    [
        *("", ".", "..", "/", "//plain", "plain/", "./plain", "inner/../plain", "inner//plain"),
        *("../secret", "%2e%2e/secret", "%2E%2E%2Fsecret", "..%2fsecret", ".%2e/secret"),
        *("inner/../../secret", "inner/%2e%2e/%2e%2e/secret", "..%5csecret", "..\\secret"),
        *("back\\slash", "back%5cslash"),
        # encoded twice: a name that no file has
        *("%252e%252e/secret", "%252e%252e%252fsecret", "..;/secret"),
        *("plain%00", "plain\0", "plain%00.txt", "%00", "inner%2fwith%20space%2C%2050%25"),
        *("to_secret", "to_parent/secret", "sibling/file", "to_itself", "to_nothing"),
        *("inner", "to_inner", "pipe", "nothing", "plain/inner", "n" * 300, "n/" * 3000),
        *("%ff%fe", "\xff", "\ud800", "C:plain", "C:%5cplain"),
    ],
)
def test_nothing_else_is_opened(folder, path):
    assert open_within(folder, path) is None


def test_paths_from_the_root_lead_nowhere(folder):
    secret = folder.parent / "secret"
    for path in (str(secret), f"/{secret}", str(secret).replace("/", "%2f"), secret.as_uri()):
        assert open_within(folder, path) is None


def test_within_takes_names_and_no_paths(folder):
    assert within(folder, "inner") == folder / "inner"
    assert within(folder, "to_inner", "with space, 50%") == folder / "inner/with space, 50%"
    for names in (["inner/with space, 50%"], ["/etc"], ["..", "secret"], [""], ["to_secret"]):
        assert within(folder, *names) is None


def test_json_that_is_being_written(folder):
    (folder / "half.json").write_text('{"a": [1, 2')
    with pytest.raises(ValueError, match=r"half\.json is damaged, or is being written: try again"):
        read_json(folder, "half.json")
    assert read_json(folder, "nothing.json") is None
