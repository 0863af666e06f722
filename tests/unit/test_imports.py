import pytest

from tilewise import imports


def write(folder, **files):
    """Modules of a package, by names whose dots are folders, and every `__init__.py`."""
    for name, text in files.items():
        path = folder.joinpath("tilewise", *name.split("__")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / "__init__.py").touch()
        path.write_text(text)


def found_in(folder, script):
    """What a script of these lines imports, as paths within the package."""
    path = folder / "script.py"
    path.write_text(script)
    first, *modules = imports.find(path, folder)
    assert first == path
    return [module.relative_to(folder / "tilewise").as_posix() for module in modules]


def test_follows_imports(tmp_path):
    write(
        tmp_path,
        grid="import math\n",
        shards="import numpy\n",
        blocks="from tilewise.grid import Grid\n",
        unused="",
    )
    script = "import os\nfrom tilewise import blocks\n\ndef f():\n    import tilewise.shards\n"
    assert found_in(tmp_path, script) == ["__init__.py", "blocks.py", "grid.py", "shards.py"]


@pytest.mark.parametrize(
    "line",
    [
        "from tilewise.store import grid",
        "from tilewise.store.grid import Grid",
        "import tilewise.store.grid",
        "import tilewise.store.grid as grid",
        "def f():\n    from tilewise.store.grid import Grid",
    ],
)
def test_follows_packages(tmp_path, line):
    write(tmp_path, job="", store__grid="", store__blocks="", segment__filters="")
    expected = ["__init__.py", "store/__init__.py", "store/grid.py"]
    assert found_in(tmp_path, f"{line}\n") == expected


def test_follows_nested_modules_to_any_depth(tmp_path):
    write(
        tmp_path,
        labels="",
        store__grid="from tilewise import labels\n",
        segment__local__filters="from tilewise.store import grid\n",
        segment__trials="def f():\n    import tilewise.segment.local.filters\n",
        segment__unused="",
        score__unused="",
    )
    (tmp_path / "tilewise/score/__init__.py").write_text("from tilewise.score import unused\n")
    assert found_in(tmp_path, "from tilewise.segment.trials import Filtered\n") == [
        "__init__.py",
        "labels.py",
        "segment/__init__.py",
        "segment/local/__init__.py",
        "segment/local/filters.py",
        "segment/trials.py",
        "store/__init__.py",
        "store/grid.py",
    ]


def test_what_a_package_imports_counts(tmp_path):
    write(tmp_path, labels="", store__grid="")
    (tmp_path / "tilewise/store/__init__.py").write_text("from tilewise import labels\n")
    expected = ["__init__.py", "labels.py", "store/__init__.py", "store/grid.py"]
    assert found_in(tmp_path, "from tilewise.store import grid\n") == expected


@pytest.mark.parametrize(
    "text",
    [
        "from tilewise.store import (\n    grid,  # the grid (of tiles)\n)\n",
        "try: from tilewise.store import grid\nexcept ImportError: pass\n",
        "import os; from tilewise.store import grid\n",
        "import os  # see (1\nimport tilewise.store.grid\n",
        '"""Text.\n\nfrom tilewise to all.\n"""\nfrom tilewise.store import grid\n',
        "from tilewise.store \\\n    import grid\n",
    ],
)
def test_imports_are_found_however_they_are_written(tmp_path, text):
    write(tmp_path, labels="", store__grid="")
    expected = ["__init__.py", "store/__init__.py", "store/grid.py"]
    assert found_in(tmp_path, text) == expected
