"""A statement that somebody else wrote, known by its first word."""

import re

COMMENTS = re.compile(r"(?:\s+|--[^\n]*|/\*.*?\*/)*", re.DOTALL)


def first_word(statement: str) -> str:
    """In lower case, behind blanks and comments; empty where there is none."""
    start = COMMENTS.match(statement)
    word = re.match(r"\w*", statement[start.end() if start else 0 :])
    return word.group().lower() if word else ""
