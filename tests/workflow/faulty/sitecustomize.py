"""Faults in the scripts of a run, at exact moments, as FAULT in the environment says.

Python imports this module when it starts, where `PYTHONPATH` has its folder. FAULT is JSON: `kind`,
`pattern` (a regular expression for a path) and, of most kinds, `done`, a file that is made when the
fault happens, which it does once.

`write`: the process dies when a file that matches, opened for the `number`th time (the first, by
default), has `bytes` bytes. `rename` and `fsync`: it dies
before the call. `late`: files that match get their names up to `seconds` after the call. `input`:
before a file that matches is opened for the `number`th time, it is deleted and, if `other` is a
file, that one is copied there.
"""

import json
import os
import random
import re
import resource
import shutil
import signal
import sys
import time

PART = re.compile(r"\.part-\w+-\d+-")
"""Before the names of files that are not whole yet."""
calls = {}
replace, fsync = os.replace, os.fsync


def fault(kind, path):
    """What is to happen with a path now, in this process, or None."""
    known = os.environ.get("FAULT")
    if not known or ".snakemake/scripts/" not in sys.argv[0]:
        return None
    known = json.loads(known)
    name = PART.sub("", os.fsdecode(path))
    return known if known["kind"] == kind and re.search(known["pattern"], name) else None


def is_time(known, path):
    """Whether this process opens a file for the time that is meant."""
    calls[path] = calls.get(path, 0) + 1
    return calls[path] == known.get("number", 1)


def is_first(known):
    """Whether the fault has not happened yet, in any process."""
    try:
        os.close(os.open(known["done"], os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def watch(event, arguments):
    if event != "open" or isinstance(arguments[0], int):
        return
    path, mode, _ = arguments
    path = os.fspath(path)
    is_written = isinstance(mode, str) and "w" in mode
    if is_written and (known := fault("write", path)) and is_time(known, path) and is_first(known):
        # the kernel ends the process at the next byte
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (known["bytes"], known["bytes"]))
    if not is_written and (known := fault("input", path)) and is_time(known, path):
        if not is_first(known):
            return
        os.unlink(path)
        if known["other"]:
            shutil.copyfile(known["other"], path)


def replace_late(source, target, **settings):
    if (known := fault("rename", target)) and is_first(known):
        die()
    known = fault("late", target)
    if not known:
        replace(source, target, **settings)
    elif not os.fork():
        time.sleep(random.uniform(0, known["seconds"]))
        replace(source, target, **settings)
        os._exit(0)


def sync(descriptor):
    path = os.readlink(f"/proc/self/fd/{descriptor}")
    if (known := fault("fsync", path)) and is_first(known):
        die()
    fsync(descriptor)


sys.addaudithook(watch)
os.replace, os.fsync = replace_late, sync
