"""Limits of time and memory for each input, and how many there are."""

import os
import resource
import signal

import pytest

SECONDS = 10
"""For one input: a loaded machine takes some hundredths."""
BYTES = 6 * 2**30
"""Of memory that a process may write to while inputs are tried."""
TIMES = float(os.environ.get("TILEWISE_FUZZ", "1"))
"""As many inputs of each kind as usual."""


class TooSlow(BaseException):
    """No `Exception`: nothing that is tried may catch it."""


def outcome(attempt, what):
    """Why a ValueError refuses it, or None; to end otherwise, or late, is a defect."""

    def stop(*_):
        raise TooSlow

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        attempt()
    except ValueError as error:
        return str(error)
    except BaseException as error:
        raise AssertionError(f"{what} ended in {error!r}") from error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return None


@pytest.fixture(autouse=True)
def memory():
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (BYTES, hard))
    yield
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def numbers(usual):
    """Seeds of the inputs of a kind."""
    return range(max(round(usual * TIMES), 1))
