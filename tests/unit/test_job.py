import os
import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).parents[2] / "scripts"
LIMITED = """
import resource
from types import SimpleNamespace
import numpy as np
from tilewise import job

job.limit_memory(SimpleNamespace(resources=SimpleNamespace(mem_mb=500)))
stacks = job.STACKS * resource.getrlimit(resource.RLIMIT_STACK)[0]
assert len(np.empty(2_500_000_000, np.uint8))
try:
    np.empty(3_000_000_000 + stacks, np.uint8)
except MemoryError:
    print("refused")
"""


def test_what_is_decoded_takes_no_more_memory_than_twice_what_is_declared():
    done = subprocess.run(
        ["bash", "-c", 'ulimit -s 8192; "$0" -c "$1"', sys.executable, LIMITED],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "refused\n"


LOWER = """
import resource
from types import SimpleNamespace
from tilewise import job

before = resource.getrlimit(resource.RLIMIT_DATA)
job.limit_memory(SimpleNamespace(resources=SimpleNamespace(mem_mb=5000)))
print(before == resource.getrlimit(resource.RLIMIT_DATA))
"""


def test_a_lower_limit_of_the_user_stays():
    done = subprocess.run(
        ["bash", "-c", 'ulimit -S -d 4000000; "$0" -c "$1"', sys.executable, LOWER],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "True\n"
