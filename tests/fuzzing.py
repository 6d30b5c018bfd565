"""Sound inputs, mutated, and what may come of them: a message of ours, or nothing wrong.

`FUZZ` says how many inputs each reader gets; three thousand and some in every run of the tests,
twenty thousand in `make test-long`, which tells those that took more than two seconds as well.
Inputs are sound ones, mutated: bytes flipped, pieces cut, doubled, moved, or put in from a list of
awkward ones. The seed of a failing input is in the message.
"""

import os
import random
import time
import warnings
from collections.abc import Callable
from typing import TypeVar

import pytest

from analyses.lab.core.errors import LabError
from site_builder.core.errors import BuildError

USUAL = 3200
COUNT = int(os.environ.get("FUZZ", USUAL))
LIMIT = pytest.mark.timeout(900 + COUNT // 10)
SLOW = 2.0
"""Seconds that are told of where there is time to look into it."""

T = TypeVar("T")

AWKWARD = [
    *(
        b"",
        b"\0",
        b"\xff",
        b"\r\n",
        b"\xe2\x80\xa8",
        b"\xf0\x9f\xa6\x86",
        b"<<",
        b">>",
        b'"',
        b"\\",
    ),
    *(b"-1", b"1e999", b"NaN", b"null", b"[]", b"{}", b"[[", b"]]", b"=", b"../../", b"<script>"),
    *(b"{{ 7*7 }}", b"%s%s", b"9" * 400, b"a" * 5000, b"[" * 900, b"true", b"0x10", b"'''", b"#"),
]


def mutated(chance: random.Random, sound: bytes) -> bytes:
    """One to five changes of a sound input."""
    data = bytearray(sound)
    for _ in range(chance.randint(1, 5)):
        at, other = (chance.randrange(len(data) + 1) for _ in range(2))
        size = chance.choice((1, 2, 8, 64))
        kind = chance.randrange(6)
        if kind == 0 and data:
            data[at % len(data)] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del data[at : at + size]
        elif kind == 2:
            data[at:at] = data[other : other + size]
        elif kind == 3:
            data[at:at] = chance.choice(AWKWARD)
        elif kind == 4:
            data[at : at + size] = chance.choice(AWKWARD)
        else:
            del data[at:]
    return bytes(data)


def fuzz(
    name: str,
    sound: list[T],
    attempt: Callable[[T], object],
    change: Callable[[random.Random, T], T] = mutated,  # type: ignore[assignment]
    count: int = COUNT,
) -> None:
    """Try mutated inputs; what is raised other than our messages fails with its seed."""
    for seed in range(count):
        chance = random.Random(f"{name} {seed}")
        data = change(chance, chance.choice(sound))
        said, began = ["fine"], time.monotonic()
        try:
            attempt(data)
        except BuildError as error:
            said = [*map(str, error.problems)]
        except LabError as error:
            said = [str(error)]
        except Exception as error:
            pytest.fail(f"{name}, seed {seed}: {type(error).__name__}: {error}\n{str(data)[:600]}")
        took = time.monotonic() - began
        if COUNT > USUAL and took > SLOW:
            warnings.warn(f"{name}, seed {seed}: {took:.1f} s", stacklevel=2)
        assert said, f"{name}, seed {seed}: no message"
        for line in said:
            assert line.strip(), f"{name}, seed {seed}: an empty message"
            assert len(line.splitlines()) == 1, f"{name}, seed {seed}: {line}"
