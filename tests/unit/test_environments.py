"""The conda environments agree with the lock."""

import ast
import re
import sys
from pathlib import Path

import yaml

from tilewise import imports

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "scripts"
COMMANDS = {"annotate", "partial_report", "verify", "view"}
"""Scripts that are no jobs."""
PACKAGES = {"cv2": "opencv-python-headless", "skimage": "scikit-image", "sklearn": "scikit-learn"}
PACKAGES |= {"pywt": "pywavelets", "PIL": "pillow", "markupsafe": "jinja2", "torch": "pytorch-cpu"}
PACKAGES |= {"matplotlib": "matplotlib-base"}
"""What a module's package is called, where that is another name; or what brings it."""


def locked(python):
    """Versions in the lock, for a version of Python."""
    versions = {}
    for line in (ROOT / "envs/requirements.txt").read_text().splitlines():
        found = re.match(
            r"([a-z0-9-]+)==([^ ]+)(?: ; python_full_version (<|>=) '([0-9.]+)')?", line
        )
        if found:
            name, version, relation, bound = found.groups()
            bound = tuple(map(int, bound.split("."))) if bound else None
            if bound is None or (python < bound) == (relation == "<"):
                versions[name] = version
    return versions


def test_conda_pins_are_those_of_the_lock():
    environment = yaml.safe_load((ROOT / "envs/tilewise.yaml").read_text())
    *packages, pip = environment["dependencies"]
    pins = dict(re.split(r" ?==?", package) for package in packages if "=" in package)
    python = tuple(map(int, pins.pop("python").split(".")))
    pins["matplotlib"] = pins.pop("matplotlib-base")
    pins |= dict(package.split("==") for package in pip["pip"])
    assert len(pins) >= 10
    assert pins == {name: locked(python)[name] for name in pins}


def test_jobs_import_what_their_conda_environment_has():
    environment = yaml.safe_load((ROOT / "envs/unet.yaml").read_text())
    *packages, pip = environment["dependencies"]
    there = {re.split(r" ?==?", package)[0] for package in [*packages, *pip["pip"]]}
    needed = set()
    for script in SCRIPTS.glob("*.py"):
        if script.stem in COMMANDS:
            continue
        for path in imports.find(script, SCRIPTS):
            for node in ast.walk(ast.parse(Path(path).read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    needed |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and not node.level:
                    needed.add(node.module.partition(".")[0])
    # Snakemake brings its own modules into jobs
    needed -= {*sys.stdlib_module_names, "tilewise", "snakemake"}
    assert len(needed) > 10
    assert {PACKAGES.get(name, name).replace("_", "-") for name in needed} <= there


def test_the_environment_of_the_unet_is_that_of_the_workflow_and_the_lock():
    own, common = (
        yaml.safe_load((ROOT / "envs" / name).read_text())["dependencies"]
        for name in ("unet.yaml", "tilewise.yaml")
    )
    (torch,) = (package for package in own if str(package).startswith("pytorch-cpu "))
    assert [package for package in own if package != torch] == common
    version = torch.split("=")[1]
    lock = (ROOT / "envs/requirements-unet.txt").read_text()
    assert f"\ntorch=={version} " in lock


def test_lock_has_hashes_and_no_address():
    locks = list((ROOT / "envs").glob("requirements*.txt"))
    assert len(locks) >= 4
    for path in locks:
        text = path.read_text()
        assert "://" not in text
        blocks = re.split(r"\n(?=[a-z])", text)[1:]
        assert all("--hash=sha256:" in block for block in blocks)


def test_workflow_asks_for_the_snakemake_of_the_lock():
    needed = re.search(
        r"^snakemake>=([0-9.]+),", (ROOT / "envs/requirements.in").read_text(), re.MULTILINE
    )
    asked = re.search(r'^min_version\("(.+)"\)$', (ROOT / "Snakefile").read_text(), re.MULTILINE)
    assert asked[1] == needed[1]
