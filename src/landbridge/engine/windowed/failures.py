"""What a failure is: by type, SQLSTATE and HTTP status, never by words (docs/pipelines.md, "Failures")."""

from typing import Literal

from landbridge.errors import AccessDenied, ConfigError, LandbridgeError, NotInstalled, Unreachable, UsageError

Category = Literal["transient", "configuration", "permanent"]

# SQLSTATE classes and codes (ISO/IEC 9075; PostgreSQL, appendix A): connection, resources, rollback, operator, locks
SQLSTATES = ("08", "53", "40001", "40003", "40P01", "57P", "57014", "55P03", "55006", "HYT00", "HYT01")
STATUSES = {408, 425, 429, 500, 502, 503, 504}  # RFC 9110, section 15; RFC 8470; RFC 6585
REFUSALS = {401, 403, 407}


def category(failure: BaseException) -> Category:
    """Of what a phase raised; for a script's failure that of what the script raised."""
    found = [each for each in _chain(failure) if isinstance(each, Exception)]
    if any(isinstance(each, ConfigError | UsageError | AccessDenied | NotInstalled) for each in found):
        return "configuration"
    codes = [code for each in found if (code := _code(each))]
    if any(code.isdigit() and len(code) == 3 and int(code) in REFUSALS for code in codes):
        return "configuration"
    if any(_may_pass(each) for each in found) or any(map(_passes, codes)):
        return "transient"
    return "permanent"


def _chain(failure: BaseException | None) -> list[BaseException]:
    """The failure, and what it was raised from; a driver's error behind one of ours is told by our type and code."""
    found: list[BaseException] = []
    while failure is not None and failure not in found:
        found.append(failure)
        failure = failure.__cause__
    return found


def _may_pass(failure: Exception) -> bool:
    return isinstance(failure, Unreachable | ConnectionError | TimeoutError)


def _code(failure: Exception) -> str | None:
    """SQLSTATE or HTTP status: ours have `code`; drivers and HTTP clients say it in attributes of these names."""
    if isinstance(failure, LandbridgeError):
        return failure.code
    response = getattr(failure, "response", None)
    for holder, name in (
        (failure, "sqlstate"),
        (failure, "pgcode"),
        (failure, "status_code"),
        (failure, "status"),
        (response, "status_code"),
        (response, "status"),
    ):
        value = getattr(holder, name, None)
        if isinstance(value, int | str) and not isinstance(value, bool):
            return str(value)
    return None


def _passes(code: str) -> bool:
    if len(code) == 3 and code.isdigit():
        return int(code) in STATUSES
    return code.startswith(SQLSTATES)
