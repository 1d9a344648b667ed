"""Padding of obfuscated parcels: sizes that tell the amount of data within 12 %, and nothing finer."""

LEAST = 16 * 1024
_FOOTER = 8  # the last bytes of a Parquet file: length of the footer before them, and the magic


def padded_size(size: int) -> int:
    """The next size, in bytes, of those that exist: Padmé of Nikitin et al., 2019 (doi 10.2478/popets-2019-0056).

    As many low bits are zero as leave at most 12 % of padding, and LEAST is the smallest.
    """
    size = max(size, LEAST)
    exponent = size.bit_length() - 1
    low = exponent - exponent.bit_length()
    return -(-size >> low) << low


def pad_parquet(file: bytes) -> bytes:
    """The same Parquet file, longer: zeros before the footer, which readers find from the end of the file.

    All offsets in a footer count from the file's beginning, so nothing that they point at moves.
    """
    footer = len(file) - _FOOTER - int.from_bytes(file[-_FOOTER:-4], "little")
    return file[:footer] + bytes(padded_size(len(file)) - len(file)) + file[footer:]


def pad_text(text: bytes) -> bytes:
    """The same JSON document with spaces at its end."""
    return text.ljust(padded_size(len(text)))
