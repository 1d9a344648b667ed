"""A type as a database's catalogue writes it, taken apart into words and numbers."""

import re

TYPE_TEXT = re.compile(r"(?P<before>[^(]*)(?:\((?P<numbers>[^)]*)\))?(?P<after>.*)", re.DOTALL)


def take_apart(native: str) -> tuple[str, tuple[int, ...]]:
    """`timestamp(3) with time zone` gives `("timestamp with time zone", (3,))`: words in lower case, single blanks.

    What stands in parentheses counts only as a whole: `NUMBER(None,0)` gives `("number", ())`.
    """
    match = TYPE_TEXT.fullmatch(native)
    before, numbers, after = match.group("before", "numbers", "after") if match else (native, None, "")
    words = " ".join(f"{before}{after}".lower().split())
    try:
        return words, tuple(int(number) for number in numbers.split(",")) if numbers else ()
    except ValueError:
        return words, ()
