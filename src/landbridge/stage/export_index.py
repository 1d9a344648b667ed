"""The export index of a place: which obfuscated folder holds which table (docs/parcel.md). Advice, never proof."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, FailFast, Field, TypeAdapter, ValidationError

from landbridge.errors import ParcelDamaged
from landbridge.sealing import age, note
from landbridge.sealing.note import Signers
from landbridge.stage.location import Store
from landbridge.stage.naming import EXPORT_INDEX
from landbridge.stage.padding import pad_text
from landbridge.stage.reading import MOST_INDEX


@dataclass(frozen=True)
class Listed:
    """One obfuscated parcel that the exporting side says is here; the field names are seed 000's."""

    table_name: str
    folder_id: Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
    parcel_id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    sequence: Annotated[int, Field(ge=1)]
    export_timestamp: AwareDatetime
    total_rows: Annotated[int, Field(ge=0)]
    total_chunks: Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class _ExportIndex:
    version: Literal["1.0"]
    created_at: AwareDatetime
    obfuscation_enabled: Literal[True]
    tables: Annotated[tuple[Listed, ...], FailFast()]


_DOCUMENT = TypeAdapter(_ExportIndex)


def write_export_index(
    store: Store, listed: Iterable[Listed], *, created_at: datetime, recipients: Sequence[str], signer: str
) -> None:
    """Replace the place's export index, sealed and signed."""
    document = _DOCUMENT.dump_json(_ExportIndex("1.0", created_at, True, tuple(listed)), ensure_ascii=True)
    text = pad_text(document).decode() + "\n"
    sealed = age.seal(note.sign(text, signer, anonymous=True).encode(), recipients)
    store.put(EXPORT_INDEX, sealed, timeless=True)


def read_export_index(store: Store, *, signers: Signers, identities: Sequence[str]) -> tuple[Listed, ...]:
    """What should be here; raises ParcelMissing where there is no export index.

    Raises NotTrusted, CannotOpen, ParcelDamaged for one that cannot be believed.
    """
    signed = age.open_sealed(store.get(EXPORT_INDEX, most=MOST_INDEX), identities)
    try:
        text, _ = note.verify(signed.decode(), *signers)
        return _DOCUMENT.validate_json(text, strict=True).tables
    except (UnicodeDecodeError, ValidationError) as error:
        raise ParcelDamaged("the export index is not one that this version knows") from error
