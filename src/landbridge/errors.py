"""The error tree: every failure that Landbridge can name.

::

    LandbridgeError                 1   something failed; `exit_code` says how the command ends
    ├── ConfigError                 2   landbridge.yaml, tables.yaml or .env cannot be used as written
    ├── UsageError                  2   the command line asks for something that is not there
    ├── WorldError                  3   the environment is in the way
    │   ├── Unreachable             3   a server or path does not answer
    │   ├── AccessDenied            3   it answers, and refuses who we are or what we ask
    │   └── NotInstalled            3   an extra is missing
    ├── RunError                    1   a run stopped; the old state stands
    │   ├── LeaseHeld               1   another run has this table
    │   ├── LeaseLost               1   another run took this table over while we worked
    │   ├── SourceError             1   the source refused or broke off a read
    │   ├── TargetError             1   the target refused or broke off a load
    │   ├── SchemaMismatch          1   the target table cannot hold what arrives
    │   │   └── LossNotAccepted     1   values would lose something, and the config does not accept that
    │   ├── ValueDoesNotFit         1   one value cannot be stored as the target column's type
    │   └── ScriptFailed            1   a user's script raised something
    ├── ParcelError                 1   a parcel is refused before a row of it is loaded
    │   ├── ParcelMissing           1   nothing there, never finished, or not all of it was carried
    │   ├── ParcelDamaged           1   bytes differ from what was signed
    │   │   └── ParcelSwapped       1   a file or a folder lies in another's place
    │   ├── NotTrusted              1   not signed by a signer trusted here
    │   │   ├── NotSigned           1   not signed at all
    │   │   └── WronglySigned       1   changed after it was signed
    │   ├── CannotOpen              1   sealed for other keys than ours
    │   ├── UnknownVersion          1   made by a later landbridge
    │   ├── ParcelRepeated          1   loaded here before
    │   └── OutOfSequence           1   older than what is loaded here, or numbered as that is
    ├── ReceiptRefused              1   a receipt confirms nothing
    └── AuditError                  4   what arrived is not what was sent
        └── CustodyBroken           4   the custody log was changed after it was written

A message is lower case and says what happened and where; `hint` is the next command to type or the
line to change. Neither ever holds a secret or a value of the data. `code` is what the other side calls it.
"""


class LandbridgeError(Exception):
    """Base of all; `hint` is what to do next, None where nothing can be advised.

    `code` is the SQLSTATE or the HTTP status that came with it, as text; None where none did.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
        self.pipeline_id: str | None = None  # the run that recorded it, set by the walk

    def __reduce__(self) -> tuple[object, ...]:
        # what is keyword-only would be lost on the way back from a worker process
        return (_rebuild, (type(self), self.message, self.hint, self.code))


def _rebuild(kind: type[LandbridgeError], message: str, hint: str | None, code: str | None) -> LandbridgeError:
    return kind(message, hint=hint, code=code)


class ConfigError(LandbridgeError):
    """A declaration cannot be used; the message lists every problem, one a line."""

    exit_code = 2


class UsageError(LandbridgeError):
    """The command line names something that does not exist or does not fit together."""

    exit_code = 2


class WorldError(LandbridgeError):
    """The environment is in the way; nothing of ours is wrong."""

    exit_code = 3


class Unreachable(WorldError):
    """A server or a path does not answer."""


class AccessDenied(WorldError):
    """The other side answers and refuses: credentials, grants, permissions."""


class NotInstalled(WorldError):
    """A library of an extra is missing."""


class RunError(LandbridgeError):
    """A run stopped. What was published before still stands."""


class LeaseHeld(RunError):
    """Another run works on this table now; wait for it or stop it."""


class LeaseLost(RunError):
    """Our lease ran out and another run took over; this one must not publish."""


class SourceError(RunError):
    """The source refused or broke off a read."""


class TargetError(RunError):
    """The target refused or broke off a load."""


class SchemaMismatch(RunError):
    """The target table cannot hold what arrives; change the one or the other."""


class LossNotAccepted(SchemaMismatch):
    """Some values would lose what the target cannot hold; accept that by name, or change what is read."""


class ValueDoesNotFit(RunError):
    """One value cannot be stored as its target column's type; the message names the cell, never the value."""


class Terminated(SystemExit):
    """Somebody asked this process to end: no failure of whatever it was at."""


class ScriptFailed(RunError):
    """A user's script raised; what it raised is the cause."""


class ParcelError(LandbridgeError):
    """A parcel is refused; not one row of it was loaded."""


class ParcelMissing(ParcelError):
    """No such parcel, or one that was never finished; carry it (again)."""


class ParcelDamaged(ParcelError):
    """Bytes differ from what was signed; carry the named files again."""


class ParcelSwapped(ParcelDamaged):
    """A whole file, or a whole parcel, lies where another belongs; put each into its own place."""


class NotTrusted(ParcelError):
    """No signature by a signer that this side trusts."""


class NotSigned(NotTrusted):
    """No signature at all, or none that can be read."""


class WronglySigned(NotTrusted):
    """A trusted signer signed something else."""


class CannotOpen(ParcelError):
    """Sealed for other keys than the ones here."""


class UnknownVersion(ParcelError):
    """Written in a format, or with a feature, that this version does not read; update landbridge."""


class ParcelRepeated(ParcelError):
    """Loaded here before, and newer rows since."""


class OutOfSequence(ParcelError):
    """Its number is not above that of the last parcel loaded; its rows may be older than those at the target."""


class ReceiptRefused(LandbridgeError):
    """A receipt is none, or of no parcel that was exported here; nothing was confirmed by it."""


class AuditError(LandbridgeError):
    """Counts or contents differ between what was sent and what arrived."""

    exit_code = 4


class CustodyBroken(AuditError):
    """The custody log is not as it was written; the message names the entry at which that shows."""
