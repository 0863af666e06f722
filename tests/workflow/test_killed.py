"""Runs that are killed at random moments: the same command goes on, and results are the same."""

import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter

import pytest
from faults import (
    PATIENCE,
    configured,
    contents,
    differing,
    finish,
    started,
    verify,
    wait_for_orphans,
)
from projects import Project
from samples import blobs, write_planes

KILLS = int(os.environ.get("TILEWISE_KILLS", "0"))
SOAK = int(os.environ.get("TILEWISE_SOAK", "0"))
"""Kills of a large study."""
SEED = 7
LONGEST = 0.7
"""Of the time that an undisturbed run takes: the latest moment of a kill."""
STEP = 0.1
"""The same of a study that is killed until it is done, once a run has started."""
WAYS = {
    # all processes; or Snakemake alone, whose jobs go on beside the next run
    "all killed": (os.killpg, signal.SIGKILL),
    "Snakemake killed": (os.kill, signal.SIGKILL),
    # Ctrl-C in a terminal, and what a scheduler sends before it kills
    "all interrupted": (os.killpg, signal.SIGINT),
    "Snakemake interrupted": (os.kill, signal.SIGINT),
    "Snakemake terminated": (os.kill, signal.SIGTERM),
}


def each_way(dice):
    """Ways to end a run, all of them in a random order, again and again."""
    while True:
        yield from dice.sample(list(WAYS), len(WAYS))


def disturb(project, seconds, ways):
    """Start a run and end it after so many seconds; how, or None if it has ended before."""
    with started(project) as process:
        try:
            assert process.wait(seconds) == 0, (project.folder / "log.txt").read_text()
        except subprocess.TimeoutExpired:
            way = next(ways)
            send, number = WAYS[way]
            send(process.pid, number)
            process.wait(PATIENCE)
            return way
    return None


def timed(project):
    """Seconds of a run that is left alone."""
    began = time.monotonic()
    finish(project)
    return time.monotonic() - began


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A project whose run was left alone, and the seconds that it took."""
    project = configured(tmp_path_factory.mktemp("undisturbed") / "project")
    return project, timed(project)


def check(project, whole):
    """A project that goes on ends as an undisturbed one; number and bytes of files compared."""
    finish(project)
    found = contents(project.results)
    assert differing({name: found[name] for name in whole if name in found}, whole) == []
    # jobs that outlive their run give files new times, and leave theirs where nobody waits
    wait_for_orphans(project.folder)
    finish(project)
    found = contents(project.results)
    assert differing(found, whole) == []
    assert not list(project.results.glob("*/filtered/*.zarr/c"))
    assert verify(project) == ""
    return len(found), sum(map(len, found.values()))


@pytest.mark.skipif(not KILLS, reason="`make test-faults` kills runs")
def test_killed_again_and_again(undisturbed, tmp_path, capsys):
    whole, seconds = undisturbed
    expected = contents(whole.results)
    dice = random.Random(SEED)
    deck = each_way(dice)
    left, ways, found = KILLS, Counter(), []
    while left:
        project = configured(tmp_path / str(left))
        # some of the kills in one study, then the run that ends well
        for _ in range(min(left, dice.randint(2, 5))):
            way = disturb(project, dice.uniform(0.1, LONGEST * seconds), deck)
            if not way:
                break
            left -= 1
            ways[way] += 1
        found.append(check(project, expected))
        tell(capsys, ways, found)
        shutil.rmtree(project.folder)


def tell(capsys, ways, found):
    """Print how runs were ended, and the number and size of files compared in each study."""
    files, size = sum(number for number, _ in found), sum(size for _, size in found)
    said = ", ".join(f"{way}: {number}" for way, number in sorted(ways.items()))
    with capsys.disabled():
        print(f"\n{said}; {len(found)} studies, {files:,} files, {size / 1e6:,.1f} MB equal")


def large(folder):
    """500 small samples, of which each tenth is annotated, and a volume of 16 planes."""
    project = Project.create(folder)
    rows = []
    for number in range(500):
        name = f"s{number:03d}"
        image, truth = blobs(planes=1, rows=64 + 32 * (number % 3), columns=128, seed=number)
        write_planes(project.folder / "images", image, f"{name}.png")
        rows.append({"sample": name, "image": f"images/{name}.png", "group": "ab"[number % 2]})
        if number % 10 == 0:
            write_planes(project.folder / "truths", truth * 255, f"{name}.png")
            rows[-1]["truth"] = f"truths/{name}.png"
    image, truth = blobs(planes=16, rows=512, columns=512, seed=500)
    write_planes(project.folder / "volume", image)
    write_planes(project.folder / "truths/volume", truth[:4] * 255)
    rows.append({"sample": "volume", "image": "volume/*.png", "group": "a"})
    methods = {
        "otsu": {"filter": "denoised", "threshold": "otsu", "cleanup": [{"remove_small": 9}]},
        "local": {
            **{"filter": "denoised", "threshold": {"adaptive": {"size": 21}}},
            "grid": {"offset": [-20, -10, 0]},
        },
        "learned": {"threshold": {"pixel_classifier": {"trees": 5}}},
    }
    settings = {"collect": {"side": 4}, "pyramid": {"levels": 1}, "block": {"planes": 4}}
    settings |= {"quality": {"measure": True}, "figures": {"tiles": 4}, "report": {"tiles": 20}}
    return project.configure(rows, methods=methods, keep_filtered=False, export="png", **settings)


@pytest.mark.skipif(not SOAK, reason="`make test-faults SOAK=100` kills runs of a large study")
def test_soak(tmp_path, capsys):
    """A study is killed, and started again, until it is done; then the next."""
    whole = large(tmp_path / "whole")
    seconds, start = timed(whole), timed(whole)
    expected = contents(whole.results)
    dice = random.Random(SEED)
    deck = each_way(dice)
    left, ways, found = SOAK, Counter(), []
    while left > 0:
        project = large(tmp_path / str(left))
        while left and (way := disturb(project, dice.uniform(0.1, start + STEP * seconds), deck)):
            left -= 1
            ways[way] += 1
        found.append(check(project, expected))
        tell(capsys, ways, found)
        shutil.rmtree(project.folder)


SUBMIT = """#!/bin/sh
setsid sh "$1" > /dev/null 2>&1 < /dev/null &
echo $!
"""


@pytest.mark.skipif(KILLS < 100, reason="`make test-faults KILLS=100` kills runs on a cluster")
def test_jobs_of_a_cluster_outlive_their_run(tmp_path, capsys):
    """Snakemake is killed; the next run submits jobs again beside those that live."""
    whole = configured(tmp_path / "whole")
    finish(whole)
    expected = contents(whole.results)
    project = configured(tmp_path / "project")
    submit = project.folder / "submit"
    submit.write_text(SUBMIT)
    submit.chmod(0o755)
    words = ["--executor", "cluster-generic", "--cluster-generic-submit-cmd", "./submit"]
    words += ["--jobs", "4", "--max-status-checks-per-second", "10", "--latency-wait", "20"]
    dice, kills = random.Random(SEED), 0
    for _ in range(KILLS // 20):
        with started(project, *words) as process:
            try:
                process.wait(dice.uniform(5, 40))
            except subprocess.TimeoutExpired:
                process.kill()
                kills += 1
    finish(project, *words)
    tell(capsys, Counter({"Snakemake of a cluster killed": kills}), [check(project, expected)])
