"""JSON as text that the YAML reader takes: the same lines, so that every problem still has its own."""

import json
import re

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?[0-9]+(?:\.[0-9]+)?[eE][+-]?[0-9]+|\t')


class NotJson(Exception):
    """The text is none; `line` is where that shows, from 1, None where it cannot be said."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.line = line


def as_yaml(text: str) -> str:
    """`text`, which is JSON or blank, in words of YAML 1.1. Raises NotJson, and RecursionError for what is too deep.

    YAML knows neither numbers like 1e3 nor characters written as two surrogates.
    """
    if not text.strip():
        return ""
    try:
        json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise NotJson(error.msg[:1].lower() + error.msg[1:], error.lineno) from None
    except ValueError:
        raise NotJson("holds a number that is none, or is too long") from None
    return _TOKEN.sub(_in_yaml, text)


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _in_yaml(token: re.Match[str]) -> str:
    if token[0] == "\t":
        return " "
    value = json.loads(token[0])
    if isinstance(value, str):
        return '"' + "".join(map(_character, value)) + '"'
    written = repr(float(value))
    if "inf" in written:
        return written.replace("inf", ".inf")
    return written if "." in written else written.replace("e", ".0e")


def _character(one: str) -> str:
    return one if " " <= one <= "~" and one not in '"\\' else f"\\U{ord(one):08x}"
