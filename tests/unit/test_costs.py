"""What jobs and methods cost."""

import subprocess
import sys
import time

import pytest

from tilewise import costs
from tilewise.tables import read_rows


def row(mpx, cpu_s, peak_mb):
    return {"mpx": str(mpx), "cpu_s": str(cpu_s), "peak_mb": str(peak_mb)}


def test_costs_of_a_method_by_hand():
    # 3 s over 6 Mpx, and 5 s over the 20 Mpx that its filter went through
    masks = [row(2, 0.5, 120.5), row(4, 2.5, 90)]
    filtered = [row(20, 5, 300)]
    expected = {"method": "otsu", "mpx": 6, "cpu_s_per_mpx": 0.75, "peak_mb": 300}
    assert costs.of_method("otsu", masks, filtered) == expected
    assert costs.of_method("otsu", masks) == expected | {"cpu_s_per_mpx": 0.5, "peak_mb": 120.5}


def test_a_method_without_pixels_has_no_cost_per_pixel():
    # a region of interest may leave nothing of a sample
    found = costs.of_method("otsu", [row(0, 0.5, 90)], [row(1, 5, 300)])
    assert found == {"method": "otsu", "mpx": 0, "cpu_s_per_mpx": None, "peak_mb": 300}


def test_a_job_counts_the_programs_that_it_has_run(tmp_path):
    costs.write(tmp_path / "cost.tsv", time.process_time(), 1_000_000, (70.0, 5e12))
    (found,) = read_rows(tmp_path / "cost.tsv")
    assert 70 <= float(found["cpu_s"]) < 71
    assert float(found["peak_mb"]) == 5e6


def test_a_job_counts_its_own_time(tmp_path):
    began = time.process_time()
    while time.process_time() < began + 0.2:
        pass
    time.sleep(0.3)
    costs.write(tmp_path / "cost.tsv", began, 2_500_000)
    (found,) = read_rows(tmp_path / "cost.tsv")
    assert found["mpx"] == "2.5"
    # waiting is no work
    assert 0.2 <= float(found["cpu_s"]) < 0.4


@pytest.mark.parametrize("megabytes", [0, 200])
def test_memory_is_that_of_the_process_alone(tmp_path, megabytes):
    """Not of the one that has started it, as getrusage has it on Linux."""
    held = bytearray(b"1") * 400_000_000
    text = (
        "import sys; from tilewise import costs\n"
        f"held = bytearray(b'1') * {megabytes}_000_000\n"
        "costs.write(sys.argv[1], 0, 1)"
    )
    path = tmp_path / "cost.tsv"
    paths = {"PYTHONPATH": ":".join(sys.path)}
    subprocess.run([sys.executable, "-c", text, path], env=paths, check=True)
    (found,) = read_rows(path)
    assert megabytes < float(found["peak_mb"]) < megabytes + 100
    assert len(held) == 400_000_000
