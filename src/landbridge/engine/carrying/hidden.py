"""What can be known of an obfuscated parcel without loading it."""

from dataclasses import dataclass

from landbridge.errors import ParcelDamaged, ParcelError, ParcelMissing, UnknownVersion, WronglySigned


@dataclass(frozen=True)
class Hidden:
    """One obfuscated parcel. `here` is False where the export index names a folder that was not carried.

    `error`: why it cannot be opened; whose it is is then only known if its manifest can be.
    """

    folder: str
    pipeline_name: str | None = None
    parcel_id: str = ""
    sequence: int = 0
    here: bool = True
    error: ParcelError | None = None

    @property
    def is_harmed(self) -> bool:
        """Whether a trusted signer made it, and it is not as signed any more; not somebody else's, nor begun only."""
        return isinstance(self.error, (ParcelMissing, ParcelDamaged, WronglySigned, UnknownVersion)) and self.here
