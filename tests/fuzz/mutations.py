"""Small harms, each drawn from a Random that hypothesis steers, and can therefore shrink."""

import string
from collections.abc import Callable, Iterator
from copy import deepcopy
from random import Random
from typing import Any

NUMBERS = (0, 1, -1, 2, 7, 127, 128, 255, 65_535, 2**31 - 1, 2**31, 2**32, 2**53, 2**63 - 1, 2**63, 10**30, -(2**63))
WORDS = (
    "",
    "\0",
    "\x1b[2J",
    "\u202e",
    "\ud7ff",
    "../..",
    "/etc/passwd",
    "index",
    "NaN",
    "a" * 5_000,
    "ﬁ",
    "🜁",
    "\n\n— ",
)
VALUES: tuple[Any, ...] = (None, True, False, [], {}, [[]], {"": {}}, 1.5, *NUMBERS, *WORDS)
CUTS = (1, 2, 3, 4, 8, 16, 64, 512, 4_096)


def mutated(random: Random, data: bytes) -> bytes:
    """One to four of the harms below, one after the other."""
    for _ in range(random.randint(1, 4)):
        data = random.choice(HARMS)(random, data)
    return data


def _flip(random: Random, data: bytes) -> bytes:
    changed = bytearray(data or b"\0")
    changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _put(random: Random, data: bytes) -> bytes:
    """Another byte, or a number in the width of Thrift's and Parquet's own fields."""
    place, width = random.randint(0, len(data)), random.choice((1, 2, 4, 8))
    value = random.choice(NUMBERS) % 256**width
    return data[:place] + value.to_bytes(width, "little") + data[place + width :]


def _remove(random: Random, data: bytes) -> bytes:
    place = random.randint(0, len(data))
    return data[:place] + data[place + random.choice(CUTS) :]


def _cut(random: Random, data: bytes) -> bytes:
    return data[: random.randint(0, len(data))]


def _repeat(random: Random, data: bytes) -> bytes:
    place, size = random.randint(0, len(data)), random.choice(CUTS)
    return data[:place] + data[place : place + size] * random.choice((2, 3, 100)) + data[place + size :]


def _insert(random: Random, data: bytes) -> bytes:
    place = random.randint(0, len(data))
    return data[:place] + random.choice(WORDS).encode("utf-8", "surrogatepass") + data[place:]


def _move(random: Random, data: bytes) -> bytes:
    """A piece of the data into another place of it."""
    start, place, size = random.randint(0, len(data)), random.randint(0, len(data)), random.choice(CUTS)
    return data[:place] + data[start : start + size] + data[place + size :]


def _swap_lines(random: Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def _swap_digits(random: Random, data: bytes) -> bytes:
    """Another digit or letter, so that much stays readable."""
    places = [place for place, byte in enumerate(data) if chr(byte) in string.hexdigits]
    if not places:
        return data
    place = random.choice(places)
    return data[:place] + random.choice(string.hexdigits).encode() + data[place + 1 :]


HARMS: tuple[Callable[[Random, bytes], bytes], ...] = (
    _flip,
    _put,
    _remove,
    _cut,
    _repeat,
    _insert,
    _move,
    _swap_lines,
    _swap_digits,
)


def disturbed(random: Random, document: Any) -> Any:
    """JSON with one to three of its values replaced, removed, repeated or moved; in place."""
    for _ in range(random.randint(1, 3)):
        places = list(_places(document))
        if not places:
            return document
        holder, key = random.choice(places)
        match random.randrange(4):
            case 0:
                holder[key] = deepcopy(random.choice(VALUES))
            case 1:
                del holder[key]
            case 2:
                other, there = random.choice(places)
                if there in (other if isinstance(other, dict) else range(len(other))):
                    holder[key] = deepcopy(other[there])
            case 3 if isinstance(holder, list):
                holder.insert(key, deepcopy(holder[key]))
            case _:
                holder[random.choice(WORDS) if isinstance(holder, dict) else key] = deepcopy(random.choice(VALUES))
    return document


def _places(document: Any) -> Iterator[tuple[Any, Any]]:
    """Every value, as its holder and its key or number."""
    keys = document if isinstance(document, dict) else range(len(document)) if isinstance(document, list) else ()
    for key in keys:
        yield document, key
        yield from _places(document[key])
