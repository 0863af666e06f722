"""What is said of a run, for the report."""

import json
import subprocess
from datetime import UTC, datetime

import pytest

from tilewise.plan import run_record

HEADER = "s\th:m:s\tmax_rss\tmax_vms\n"


def content(script):
    assert script.startswith("tilewise_run(")
    assert script.endswith(");\n")
    return json.loads(script[len("tilewise_run(") : -len(");\n")])


def test_rules_are_added_up(tmp_path):
    lines = {"a": "1.5\t0:00:01\t100.5\t9", "b": "2\t0:00:02\t80\t9", "c": "0.1\t0:00:00\t-\t-"}
    for name, line in lines.items():
        (tmp_path / name).write_text(f"{HEADER}{line}\n")
    rules = ["filter", "filter", "ingest", "ingest"]
    benchmarks = [(rule, str(tmp_path / name)) for rule, name in zip(rules, "abcd", strict=True)]
    assert run_record.rules(benchmarks) == {
        "columns": ["rule", "jobs", "seconds", "peak_mb"],
        "rule": {"values": ["filter", "ingest"], "codes": [0, 1]},
        "jobs": [2, 1],
        "seconds": [3.5, 0.1],
        "peak_mb": [100.5, 0.0],
    }


def test_a_record_is_a_call(tmp_path):
    started = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    arguments = ["/bin/snakemake", "--cores", "2"]
    found = content(run_record.script(run_record.record(arguments, tmp_path, started, False, [])))
    assert found["command"] == "snakemake --cores 2"
    assert found["started"] == "2026-01-02T03:04:05+00:00"
    assert found["finished"] > found["started"]
    assert found["ok"] is False
    assert found["rules"]["jobs"] == []


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (["--config", "tile=64", "a b"], "snakemake --config tile=64 'a b'"),
        (
            ["--storage-s3-secret-key", "s3cr3t", "--cores", "2"],
            "snakemake --storage-s3-secret-key ... --cores 2",
        ),
        (["--storage-s3-access-key=s3cr3t", "x"], "snakemake --storage-s3-access-key=... x"),
    ],
)
def test_commands_keep_secrets(given, shown):
    assert run_record.command(["/usr/bin/snakemake", *given]) == shown


def test_the_commit_is_that_of_the_code(tmp_path):
    assert run_record.commit(tmp_path / "nowhere") == ""

    def git(*words):
        identity = ("-c", "user.name=a", "-c", "user.email=a@b")
        words = ["git", "-C", str(tmp_path), *identity, *words]
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()

    git("init")
    (tmp_path / "file").write_text("1")
    git("add", "file")
    git("commit", "-m", "first")
    head = git("rev-parse", "HEAD")
    assert run_record.commit(tmp_path) == head
    (tmp_path / "file").write_text("2")
    assert run_record.commit(tmp_path) == f"{head}-dirty"
