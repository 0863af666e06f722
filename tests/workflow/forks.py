"""Snakemake and its scripts as forks of one process that has imported what they import.

A start of Python with the packages of others is most of what a run on small images takes. Here one
process has done that. Each run of Snakemake and each script is a fork of it: a process of its own,
with the folder, the environment and the outputs of who asked for it, which reads this project's
code afresh. It needs Linux; elsewhere tests start Python itself.
"""

import atexit
import contextlib
import gc
import importlib
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from functools import cache
from pathlib import Path

CLIENT = Path(__file__).with_name("forked.py")
IMPORTED = (
    *("snakemake.cli", "snakemake.script", "snakemake.executors.local", "jsonschema"),
    *("snakemake_executor_plugin_slurm", "snakemake_logger_plugin_rich", "rich.progress"),
    *("numpy", "cv2", "zarr", "numcodecs.zarr3", "zstandard", "google_crc32c", "tifffile"),
    *("imageio.v3", "PIL.Image", "pandas", "concurrent.futures.thread"),
    *("scipy.ndimage", "scipy.sparse.csgraph", "scipy.spatial", "scipy.special", "scipy.stats"),
    *("matplotlib.figure", "matplotlib.patheffects", "matplotlib.backends.backend_agg"),
)
"""Packages of others; none of this project, which every test has a copy of."""


@cache
def command(number=0):
    """What runs Python's arguments: a fork of a server of this process, else Python itself.

    Forks of one server order sets alike; those of another server otherwise.
    """
    if not hasattr(os, "pidfd_open"):
        return [sys.executable]
    folder = tempfile.TemporaryDirectory()
    address = os.path.join(folder.name, "socket")
    # one thread, since others do not live on in a fork
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    server = subprocess.Popen(
        [sys.executable, __file__, address], stdin=subprocess.PIPE, env=environment
    )
    assert server.stdin
    atexit.register(folder.cleanup)
    atexit.register(server.wait)
    # which ends the server
    atexit.register(server.stdin.close)
    while not os.path.exists(address):
        if server.poll() is not None:
            # it has said why: the path is too long for a socket, say
            return [sys.executable]
        time.sleep(0.05)
    return [sys.executable, "-IS", str(CLIENT), address]


def serve(address):
    """Fork for each connection, until standard input ends."""
    for name in IMPORTED:
        importlib.import_module(name)
    # collected objects would be copied into each fork
    gc.collect()
    gc.freeze()
    assert len(os.listdir("/proc/self/task")) == 1
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(f"{address}.new")
    listener.listen(128)
    os.rename(f"{address}.new", address)
    events = selectors.DefaultSelector()
    events.register(0, selectors.EVENT_READ)
    events.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in events.select():
            if key.fd == 0:
                return
            if key.fileobj is listener:
                connection, _ = listener.accept()
                try:
                    folder, arguments, environment, outputs = _receive(connection)
                except EOFError:
                    connection.close()
                    continue
                process = os.fork()
                if not process:
                    events.close()
                    listener.close()
                    connection.close()
                    _run(address, folder, arguments, environment, outputs)
                for output in outputs:
                    os.close(output)
                watched = os.pidfd_open(process)
                events.register(watched, selectors.EVENT_READ, (process, connection))
            else:
                process, connection = key.data
                _, status = os.waitpid(process, 0)
                events.unregister(key.fd)
                os.close(key.fd)
                code = os.waitstatus_to_exitcode(status)
                # who asked may have been killed
                with contextlib.suppress(BrokenPipeError):
                    # as a shell says it of a process that a signal ended
                    connection.sendall(bytes([code if code >= 0 else 128 - code]))
                connection.close()


def _receive(connection):
    """What is asked for; EOFError if who asked has gone."""
    size, outputs, _, _ = socket.recv_fds(connection, 8, 3)
    left, message = int.from_bytes(size, "little"), bytearray()
    while len(message) < left and (more := connection.recv(left - len(message))):
        message += more
    if not left or len(message) < left:
        for output in outputs:
            os.close(output)
        raise EOFError
    folder, number, *texts = (os.fsdecode(part) for part in bytes(message).split(b"\0"))
    environment = dict(text.split("=", 1) for text in texts[int(number) :])
    return folder, texts[: int(number)], environment, outputs


def _run(address, folder, arguments, environment, outputs):
    """Be what Python would be with these arguments; never returns."""
    for number, output in enumerate(outputs):
        os.dup2(output, number)
        os.close(output)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # scripts of Snakemake are forks, too
    sys.executable = f"{sys.executable} -IS {CLIENT} {address}"
    code = 1
    try:
        if arguments[0] == "-m":
            sys.argv = arguments[1:]
            sys.path[0] = folder
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = arguments
            sys.path[0] = os.path.dirname(arguments[0])
            runpy.run_path(arguments[0], run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        stream.flush()
    os._exit(code)


if __name__ == "__main__":
    serve(sys.argv[1])
