"""The file as a user's script gets it: a dict that nobody can change, and whose repr hides what is secret."""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Any, NoReturn

from landbridge.config.problems import Keys

_SECRET = re.compile(
    r"pass(word|phrase|wd)?$|secret|token|credential|(api|access|private|signing)_?key$", re.IGNORECASE
)
_HIDDEN = "***"


class ReadOnly(dict[str, Any]):
    """A dict that refuses to be changed. Its mappings are such dicts too, its lists are tuples.

    A dict, not only a Mapping: scripts ask for that, and write it as JSON.
    """

    def __init__(self, values: dict[str, Any], hidden: AbstractSet[str] = frozenset()) -> None:
        super().__init__(values)
        self._hidden = frozenset(hidden)

    def __repr__(self) -> str:
        shown = (f"{key!r}: {_HIDDEN if key in self._hidden else repr(value)}" for key, value in self.items())
        return "{" + ", ".join(shown) + "}"

    def __reduce__(self) -> tuple[object, ...]:
        return (ReadOnly, (dict(self), self._hidden))

    def __copy__(self) -> "ReadOnly":
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "ReadOnly":
        return self

    def _refuse(self, *_args: object, **_kwargs: object) -> NoReturn:
        raise TypeError("the configuration is read-only; work on a copy: dict(config)")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse


def read_only(value: object, put_in: AbstractSet[Keys], at: Keys = ()) -> Any:  # noqa: ANN401 - any plain value
    """`value`, made of dict, list and scalars, deeply read-only.

    Hidden from reprs is what is called like a secret, and what was `put_in`: the keys of those values, from `at` on.
    """
    if isinstance(value, dict):
        inner = {key: read_only(each, put_in, (*at, key)) for key, each in value.items()}
        hidden = {key for key in value if _SECRET.search(key) or any(_bare(value[key], put_in, (*at, key)))}
        return ReadOnly(inner, hidden)
    if isinstance(value, list):
        return tuple(read_only(each, put_in, (*at, number)) for number, each in enumerate(value))
    return value


def _bare(value: object, put_in: AbstractSet[Keys], at: Keys) -> Iterator[bool]:
    """For each value that no mapping of its own could hide: was it put in?"""
    if isinstance(value, list):
        for number, each in enumerate(value):
            yield from _bare(each, put_in, (*at, number))
    else:
        yield at in put_in


def secrets_of(value: object) -> Iterator[str]:
    """The texts that reprs of it hide, wherever they stand."""
    if isinstance(value, ReadOnly):
        for key, each in value.items():
            if key in value._hidden:  # noqa: SLF001  its own kind
                yield from _texts(each)
            else:
                yield from secrets_of(each)
    elif isinstance(value, tuple):
        for each in value:
            yield from secrets_of(each)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | tuple):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)
