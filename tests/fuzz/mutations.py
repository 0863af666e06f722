"""Damage to files and documents: seeded, so that the same number gives the same damage."""

import copy
import random
from typing import Any

SIZES = (1, 2, 4, 20, 100)
HEADER = 400
"""Bytes at the start of a file that half of all damage is done to."""
NUMBERS = (0, 1, 2**16 - 1, 2**16, 2**30, 2**31 - 1, 2**31, 2**32 - 1)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 0.5, -0.0, 1e308, 2**31, 2**63, 10**30),
    *(float("nan"), float("inf"), "", " ", "\0", "a\n", "..", "../x", "~", "{}", "{x}", "%s"),
    *("é", "\u202e", "x" * 300, "zarr.json", "1", "null", [], {}, [[]], [None], {"": None}),
)
"""What a value of a document may become."""


def damaged(data: bytes, dice: random.Random) -> bytes:
    """A file with one to four bits, bytes, numbers or stretches changed; never empty."""
    out = bytearray(data)
    for _ in range(dice.choice([1, 1, 1, 2, 4])):
        end = len(out)
        at = dice.randrange(end if dice.random() < 0.5 else min(end, HEADER))
        kind = dice.randrange(8)
        if kind == 0:
            out[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            out[at] = dice.choice([0, 1, 127, 128, 255])
        elif kind == 2:
            del out[at : at + dice.choice(SIZES)]
        elif kind == 3:
            out[at:at] = dice.randbytes(dice.choice(SIZES))
        elif kind == 4:
            del out[at:]
        elif kind == 5:
            out[at : at + 4] = dice.choice(NUMBERS).to_bytes(4, dice.choice(["little", "big"]))
        elif kind == 6:
            out[at : at + 2] = dice.choice([0, 1, 32768, 65535]).to_bytes(2, "little")
        else:
            start = dice.randrange(end)
            out[at : at + 16] = out[start : start + 16]
        out = out or bytearray(b"x")
    return bytes(out)


def changed(document: Any, dice: random.Random) -> Any:
    """A document of dictionaries, lists and values with one to three places changed.

    A value becomes another, goes, or comes twice; a key has another name.
    """
    document = copy.deepcopy(document)
    for _ in range(dice.choice([1, 1, 2, 3])):
        places = list(_places(document))
        if not places:
            return dice.choice(VALUES)
        parent, key = dice.choice(places)
        kind = dice.randrange(5)
        if kind < 2:
            parent[key] = copy.deepcopy(dice.choice(VALUES))
        elif kind == 2:
            del parent[key]
        elif kind == 3:
            _, other = dice.choice(places)
            source = dice.choice(places)
            parent[key] = copy.deepcopy(source[0][source[1]])
        elif isinstance(parent, dict):
            parent[dice.choice([one for one in VALUES if isinstance(one, str)])] = parent.pop(key)
        else:
            parent.insert(key, copy.deepcopy(parent[key]))
    return document


def _places(document):
    """Every container of a document with every key in it."""
    items = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in items:
        yield document, key
        if isinstance(value, dict | list):
            yield from _places(value)
