from tilewise import imports


def test_follows_imports(tmp_path):
    package = tmp_path / "tilewise"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "grid.py").write_text("import math\n")
    (package / "shards.py").write_text("import numpy\n")
    (package / "blocks.py").write_text("from tilewise.grid import Grid\n")
    (package / "unused.py").write_text("")
    script = tmp_path / "ingest.py"
    script.write_text(
        "import os\nfrom tilewise import blocks\n\ndef f():\n    import tilewise.shards\n"
    )
    found = imports.find(script, tmp_path)
    assert [path.name for path in found] == [
        "ingest.py",
        "__init__.py",
        "blocks.py",
        "grid.py",
        "shards.py",
    ]
