"""Which columns leave a source, and as what."""

import pytest

from landbridge.errors import ConfigError
from landbridge.schema.columns import Columns, Pick, chosen, leaving
from landbridge.schema.model import Column, TableSchema, Type

STAFF = TableSchema(
    (
        Column("ID", Type("int64"), nullable=False, native="BIGINT"),
        Column("EMAIL", Type("text"), nullable=False, native="VARCHAR"),
        Column("SALARY", Type("decimal", 10, 2), nullable=False, native="DECIMAL(10,2)"),
        Column("NOTES", Type("text")),
    ),
    ("ID", "EMAIL"),
)


def left(*picks: Pick, others: bool = True, exclude: tuple[str, ...] = ()) -> TableSchema:
    columns = Columns(picks, others, exclude)
    return leaving(chosen(STAFF, columns), columns)


def test_all_leave_unless_something_is_said():
    """Nothing declared, nothing changed."""
    assert left() == STAFF


def test_the_order_is_the_source_s():
    """Whatever the order in which columns are named; what is not named stays, unless only the named leave."""
    assert left(Pick("NOTES"), Pick("ID"), others=False).names == ("ID", "NOTES")
    assert left(Pick("SALARY", "pay"), Pick("ID", "key")).names == ("key", "EMAIL", "pay", "NOTES")
    assert left(exclude=("SALARY",)).names == ("ID", "EMAIL", "NOTES")


def test_a_mask_decides_the_type():
    """A hash is 32 digits of text and has no type of the source's; NULL may be NULL; a constant stays what it is."""
    masked = left(Pick("EMAIL", "mail", "hash"), Pick("SALARY", None, "null"), Pick("NOTES", None, "constant", "x"))
    assert masked.columns == (
        STAFF.columns[0],
        Column("mail", Type("text", length=32), nullable=False),
        Column("SALARY", Type("decimal", 10, 2), nullable=True, native="DECIMAL(10,2)"),
        STAFF.columns[3],
    )


@pytest.mark.parametrize(
    ("picks", "exclude", "key"),
    [
        ((Pick("ID", "number"),), (), ("number", "EMAIL")),
        ((Pick("EMAIL", None, "hash"),), (), ("ID", "EMAIL")),
        ((Pick("EMAIL", None, "null"),), (), ()),
        ((Pick("ID", None, "constant", "1"),), (), ()),
        ((), ("EMAIL",), ()),
        ((), ("NOTES",), ("ID", "EMAIL")),
    ],
)
def test_what_is_still_a_key(picks: tuple[Pick, ...], exclude: tuple[str, ...], key: tuple[str, ...]):
    """A key is renamed and may be hashed; without one of its columns, or with the same value everywhere, it is none."""
    assert left(*picks, exclude=exclude).primary_key == key


def test_every_mistake_is_told_with_a_suggestion():
    """Names that are not there, columns that meet, constants that do not fit, nothing left; never the constant."""
    with pytest.raises(ConfigError) as caught:
        left(Pick("EMIAL", None, "hash"), exclude=("Notes", "x"))
    assert caught.value.message.splitlines() == [
        "the source has no column 'EMIAL'; did you mean 'EMAIL'?",
        "the source has no column 'Notes'; did you mean 'NOTES'?",
        "the source has no column 'x'; known: EMAIL, ID, NOTES, SALARY",
    ]
    with pytest.raises(ConfigError) as caught:
        left(Pick("ID", "NOTES"), Pick("SALARY", None, "constant", "CANARY"))
    assert caught.value.message.splitlines() == [
        "two columns would leave as 'NOTES'",
        "the constant of column 'SALARY' is no decimal(10,2)",
    ]
    with pytest.raises(ConfigError, match="no column is left"):
        left(exclude=STAFF.names)
