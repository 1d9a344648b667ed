"""How an account is logged in to, and what it is told: each way of proof, refusals, one login for all, query tags."""

import os
import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
)
from pydantic import ValidationError
from snowflake.connector.errors import DatabaseError

from landbridge.connectors.snowflake import reading
from landbridge.connectors.snowflake.connector import Snowflake
from landbridge.connectors.snowflake.options import SnowflakeOptions
from landbridge.connectors.snowflake.session import translate
from landbridge.contracts.values import Part, Read, Write
from landbridge.errors import AccessDenied, SourceError, TargetError, Unreachable
from landbridge.schema.model import Relation
from tests.conformance.system import NUMBERS, load_of, numbers
from tests.connectors.test_snowflake import options
from tests.servers.snowflake.process import SnowflakeServer

T = Relation("T", "PUBLIC")


def asked(connector: Snowflake) -> None:
    """Anything that needs a session, which is closed then."""
    try:
        connector.describe([T])
    finally:
        connector.session.close()


def test_a_wrong_password_is_refused(snowflake: SnowflakeServer, sf_database: str) -> None:
    """As access denied, with the user and without the password."""
    with pytest.raises(AccessDenied, match=f"refuses {snowflake.user}") as caught:
        asked(Snowflake("it", options(snowflake, sf_database, password="not this one")))
    assert "not this one" not in str(caught.value) + repr(caught.value.__cause__)


def test_a_host_that_is_not_there_is_unreachable(snowflake: SnowflakeServer, sf_database: str) -> None:
    """And no matter of credentials."""
    with pytest.raises(Unreachable, match="does not answer"):
        asked(Snowflake("it", options(snowflake, sf_database, port=9, login_timeout=3)))


def test_a_key_pair_logs_in(snowflake: SnowflakeServer, sf_database: str, tmp_path: Path) -> None:
    """By a file that a passphrase opens; another key is refused."""
    right, wrong = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    public = right.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    snowflake.set(users={"ROBOT": {"public_key": public}})
    for name, key in (("right.p8", right), ("wrong.p8", wrong)):
        locked = BestAvailableEncryption(b"open sesame")
        (tmp_path / name).write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
    given = {"auth_method": "key_pair", "user": "ROBOT", "password": None, "private_key_passphrase": "open sesame"}
    asked(Snowflake("it", options(snowflake, sf_database, **given, private_key_path=str(tmp_path / "right.p8"))))
    with pytest.raises(AccessDenied, match="refuses ROBOT"):
        asked(Snowflake("it", options(snowflake, sf_database, **given, private_key_path=str(tmp_path / "wrong.p8"))))


@pytest.mark.parametrize("method", ["oauth", "pat"])
def test_a_token_logs_in(snowflake: SnowflakeServer, sf_database: str, method: str) -> None:
    """Of an identity provider, or a programmatic one of Snowflake's own; another is refused, and not told."""
    snowflake.set(users={"ROBOT": {"token": "given"}})
    who = {"auth_method": method, "user": "ROBOT", "password": None}
    asked(Snowflake("it", options(snowflake, sf_database, **who, token="given")))
    with pytest.raises(AccessDenied, match="refuses ROBOT") as caught:
        asked(Snowflake("it", options(snowflake, sf_database, **who, token="another one")))
    assert "another one" not in str(caught.value)


def test_a_browser_signs_in(snowflake: SnowflakeServer, sf_database: str, tmp_path: Path) -> None:
    """Sso opens a page in the browser once, however much is asked then."""
    visit = "import sys, urllib.request as u; u.urlopen(sys.argv[1].replace('https', 'http', 1))"
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    lines = ("#!/bin/sh", f'echo "$1" >> {opened}', f'"{sys.executable}" -c "{visit}" "$1" >/dev/null 2>&1 &', "")
    browser.write_text("\n".join(lines))
    browser.chmod(0o755)
    snowflake.set(users={"ANNA": {"browser": True}})
    found = options(snowflake, sf_database, auth_method="sso", user="ANNA", password=None)
    program = (
        "import pickle, sys\n"
        "from landbridge.connectors.snowflake.connector import Snowflake\n"
        "from landbridge.schema.model import Relation\n"
        "connector = Snowflake('it', pickle.load(sys.stdin.buffer))\n"
        "for _ in range(3): connector.describe([Relation('T', 'PUBLIC')])\n"
        "connector.session.close()\n"
    )
    surroundings = {**os.environ, "BROWSER": str(browser), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], input=pickle.dumps(found), capture_output=True, env=surroundings, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    assert len(opened.read_text().splitlines()) == 1


def test_only_this_machine_may_do_without_tls() -> None:
    """Http is refused for any other host, before a password is sent there."""
    given = {"type": "snowflake", "account": "a", "user": "u", "warehouse": "w", "database": "d", "schema": "s"}
    with pytest.raises(ValidationError, match="must be https"):
        SnowflakeOptions.model_validate({**given, "protocol": "http", "host": "db.example"})
    SnowflakeOptions.model_validate({**given, "protocol": "http", "host": "127.0.0.1"})


def load(connector: Snowflake, rows: int) -> None:
    landing = connector.prepare(Write("it", T), NUMBERS, load_of(rows))
    connector.append(landing, [numbers(0, rows, "x")], 0)
    connector.publish(landing)


def test_all_is_asked_in_one_session_under_one_tag(snowflake: SnowflakeServer, sf_database: str) -> None:
    """A load and a read are one login, and every statement of theirs can be found in the account's history."""
    connector = Snowflake("it", options(snowflake, sf_database))
    before = len(snowflake.statements())
    load(connector, 10)
    with connector.snapshot(Read("it", T)) as shot:
        assert shot.rows == 10
    connector.session.close()
    sent = snowflake.statements()[before:]
    assert len({one["session"] for one in sent}) == 1
    assert {str(one["tag"]).split()[0] for one in sent} == {"landbridge"}


def test_no_ddl_is_in_the_transaction(snowflake: SnowflakeServer, sf_database: str) -> None:
    """It would commit what is before it: between BEGIN and COMMIT are rows and their load id, and nothing else."""
    connector = Snowflake("it", options(snowflake, sf_database))
    load(connector, 10)
    connector.session.close()
    words = [str(one["sql"]).split()[0].upper() for one in snowflake.statements()]
    inside = words[words.index("BEGIN") + 1 : words.index("COMMIT")]
    assert inside == ["DELETE", "INSERT", "UPDATE", "INSERT"]


def test_a_rollback_that_fails_ends_the_session(
    snowflake: SnowflakeServer, sf_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DDL in a transaction that is still open would commit what was deleted: what comes next has its own session."""
    connector = Snowflake("it", options(snowflake, sf_database))
    load(connector, 3)

    def lost(statement: str, *_: object) -> None:
        raise OSError(f"no answer to {statement}")

    with suppress(ZeroDivisionError), connector.session.transaction(TargetError, "T") as cursor:
        cursor.execute("DELETE FROM T")
        monkeypatch.setattr(cursor, "execute", lost)
        1 / 0  # noqa: B018
    connector.execute(["CREATE TABLE NEXT (A INT)"])
    assert connector.count(Write("it", T)) == 3
    connector.session.close()


def test_an_expired_session_is_begun_anew(snowflake: SnowflakeServer, sf_database: str) -> None:
    """One that cannot be renewed fails what was asked as unreachable; what is asked next logs in again."""
    connector = Snowflake("it", options(snowflake, sf_database))
    load(connector, 3)
    snowflake.expire_sessions()
    assert connector.count(Write("it", T)) == 3
    snowflake.expire_sessions(master=True)
    with pytest.raises(Unreachable, match="connection to snowflake lost") as caught:
        connector.count(Write("it", T))
    assert caught.value.hint == "run it again"
    assert connector.count(Write("it", T)) == 3
    connector.session.close()


VALUES = ("ID NUMBER(38,0)", "N NUMBER(18,4)", "BIG NUMBER(37,0)", "F FLOAT", "D DATE", "TS TIMESTAMP_NTZ", "V VARIANT")
ROWS = (
    "SELECT SEQ4() * POWER(10, SEQ4() % 15)::NUMBER(37,0), SEQ4() / 8, SEQ4() * 12345678901234567890::NUMBER(37,0), "
    "SEQ4() / 7, DATEADD(DAY, SEQ4(), '2024-01-01'::DATE), "
    "IFF(SEQ4() = 5, '9999-12-31 23:59:59.999999'::TIMESTAMP_NTZ, "
    "DATEADD(SECOND, SEQ4(), '1969-12-31'::TIMESTAMP_NTZ)), "
    "PARSE_JSON('{\"a\": ' || SEQ4() || '}') FROM TABLE(GENERATOR(ROWCOUNT => 1000))"
)


@pytest.mark.parametrize("mode", [0, 1, 2])
def test_numbers_are_the_same_however_they_travel(snowflake: SnowflakeServer, sf_database: str, mode: int) -> None:
    """As decimals, as the narrowest scaled integers, and of another width in every chunk: no number changes."""
    snowflake.set(arrow=mode, chunk_rows=70)
    connector = Snowflake("it", options(snowflake, sf_database))
    connector.execute([f"CREATE TABLE T ({', '.join(VALUES)})", f"INSERT INTO T {ROWS}"])
    with connector.snapshot(Read("it", T)) as shot:
        table = pa.Table.from_batches([batch for part in shot.parts for batch in connector.batches(part)])
    connector.session.close()
    found = table.sort_by("D").to_pydict()
    assert found["ID"] == [n * 10 ** (n % 15) for n in range(1000)]
    assert [float(value) for value in found["N"]] == [n / 8 for n in range(1000)]
    assert found["BIG"] == [n * 12345678901234567890 for n in range(1000)]
    assert found["F"] == [n / 7 for n in range(1000)]
    assert str(found["TS"][5]) == "9999-12-31 23:59:59.999999"
    assert str(found["TS"][0]) == "1969-12-31 00:00:00"
    assert found["V"][7] == '{"a":7}'


def read_elsewhere(part: Part) -> int:
    """In a process that has no session."""
    return sum(batch.num_rows for batch in reading.batches(part))


def test_parts_are_read_by_other_processes(
    snowflake: SnowflakeServer, sf_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each result batch can be a part of its own, and needs no login to be fetched."""
    monkeypatch.setattr(reading, "PART_BYTES", 1)
    snowflake.set(chunk_rows=100)
    connector = Snowflake("it", options(snowflake, sf_database))
    load(connector, 1000)
    logins = len({one["session"] for one in snowflake.statements()})
    with connector.snapshot(Read("it", T)) as shot, ProcessPoolExecutor(2, get_context("spawn")) as pool:
        assert len(shot.parts) >= 9
        assert sum(pool.map(read_elsewhere, shot.parts)) == 1000
    connector.session.close()
    assert len({one["session"] for one in snowflake.statements()}) == logins


def test_documents_come_as_json(snowflake: SnowflakeServer, sf_database: str) -> None:
    """VARIANT, OBJECT and ARRAY, also by a path of a query; JSON's null is no SQL NULL."""
    connector = Snowflake("it", options(snowflake, sf_database))
    nested = """PARSE_JSON('{"k": [1, null]}'), OBJECT_CONSTRUCT('x', 1), ARRAY_CONSTRUCT(1, 2)"""
    connector.execute(
        [
            "CREATE TABLE T (ID INT, V VARIANT, O OBJECT, A ARRAY)",
            f"INSERT INTO T SELECT 1, {nested}",
            "INSERT INTO T SELECT 2, PARSE_JSON('null'), NULL, NULL",
        ]
    )
    assert rows(connector, Read("it", T)) == [
        {"ID": 1, "V": '{"k":[1,null]}', "O": '{"x":1}', "A": "[1,2]"},
        {"ID": 2, "V": "null", "O": None, "A": None},
    ]
    query = "SELECT ID, V:k[0]::NUMBER(9,0) AS FIRST FROM {table}"
    assert rows(connector, Read("it", T, query))[0] == {"ID": 1, "FIRST": 1}
    connector.session.close()


def rows(connector: Snowflake, read: Read) -> list[dict[str, Any]]:
    with connector.snapshot(read) as shot:
        batches = [batch for part in shot.parts for batch in connector.batches(part)]
    return pa.Table.from_batches(batches).sort_by("ID").to_pylist()


def test_reads_are_as_of_one_instant(snowflake: SnowflakeServer, sf_database: str) -> None:
    """Count and rows are asked for at the time that the snapshot tells; where there is no history, without a time."""
    load(connector := Snowflake("it", options(snowflake, sf_database)), 3)
    with connector.snapshot(Read("it", T)) as shot:
        pass
    connector.session.close()
    asked_then = [str(one["sql"]) for one in snowflake.statements() if " AT(TIMESTAMP =>" in str(one["sql"])]
    assert len(asked_then) == 2
    assert all(shot.as_of.isoformat(sep=" ") in sql for sql in asked_then)
    plain = Snowflake("it", options(snowflake, sf_database, time_travel=False))
    with plain.snapshot(Read("it", T)) as shot:
        assert shot.rows == 3
    plain.session.close()
    assert len([one for one in snowflake.statements() if " AT(TIMESTAMP =>" in str(one["sql"])]) == 2


def test_a_query_of_two_columns_with_one_name_is_refused(snowflake: SnowflakeServer, sf_database: str) -> None:
    """Which of them would be meant is not guessed."""
    load(connector := Snowflake("it", options(snowflake, sf_database)), 1)
    with (
        pytest.raises(SourceError, match="two columns named ID"),
        connector.snapshot(Read("it", T, "SELECT ID, ID FROM {table}")),
    ):
        pass
    connector.session.close()


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"errno": 2003, "sqlstate": "02000"}, "02000"),
        ({"errno": 625, "sqlstate": "57014"}, "55P03"),
        ({"errno": 290_503}, "503"),
        ({"errno": 290_429, "sqlstate": "08001"}, "429"),
        ({}, None),
    ],
)
def test_an_error_has_the_accounts_code(given: dict[str, Any], code: str | None) -> None:
    """SQLSTATE, or the HTTP status of what came before the account; a lock that somebody has is told as one."""
    assert translate(DatabaseError("words", **given), "it", TargetError, "T").code == code


def test_threads_have_sessions_of_their_own(snowflake: SnowflakeServer, sf_database: str) -> None:
    """DDL of one commits nothing of another's transaction; all of them end with the connector."""
    connector = Snowflake("it", options(snowflake, sf_database))
    connector.execute(["CREATE TABLE T (ID INT)"])
    with suppress(ZeroDivisionError), connector.session.transaction(TargetError, "T") as cursor:
        cursor.execute("INSERT INTO T SELECT 1")
        with ThreadPoolExecutor(1) as pool:
            pool.submit(connector.execute, ["CREATE TABLE U (ID INT)"]).result()
        raise ZeroDivisionError
    assert connector.count(Write("it", T)) == 0
    connector.session.close()
    assert not connector.session._connections


def test_workers_import_the_driver_alone() -> None:
    """Not what it brings along wherever that is installed, which is larger than itself; who asks for it gets it."""
    program = (
        "import sys\n"
        "from landbridge.connectors.registry import get_ready\n"
        "get_ready('snowflake')\n"
        "assert 'snowflake.connector.cursor' in sys.modules\n"
        "assert not {'pandas', 'sqlalchemy'} & set(sys.modules)\n"
        "import pandas, sqlalchemy"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
