"""What the emulated Snowflake adds to fakesnow: each test fails where its gap is open."""

import gzip
import inspect
import json
import os
import pickle
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from urllib.request import Request, urlopen

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import snowflake.connector
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from snowflake.connector.errors import DatabaseError, IntegrityError, ProgrammingError

from tests.servers.snowflake.process import SnowflakeServer

MAJOR = int(snowflake.connector.__version__.partition(".")[0])
SERIES = "SELECT seq4() AS id FROM TABLE(generator(rowcount => {}))"


@pytest.fixture
def session(snowflake: SnowflakeServer, sf_database: str) -> Iterator[snowflake.connector.SnowflakeConnection]:
    with snowflake_session(snowflake, database=sf_database, schema="PUBLIC") as connection:
        yield connection


def snowflake_session(server: SnowflakeServer, **others):
    return snowflake.connector.connect(**server.connection(**others))


def fetched(session, sql: str, *args) -> list[tuple]:
    with session.cursor() as cursor:
        return cursor.execute(sql, *args).fetchall()


def arrow(session, sql: str) -> list[pa.Table]:
    """The batches of a result as they came."""
    with session.cursor() as cursor:
        return [x.to_arrow() for x in cursor.execute(sql).get_result_batches()]


def parquet(folder: Path, rows: int = 3) -> Path:
    file = folder / "part.parquet"
    pq.write_table(pa.table({"c0": list(range(rows))}), file)
    return file


def test_a_password_is_asked_for(snowflake: SnowflakeServer) -> None:
    """A login with a wrong password, or of an unknown user, is refused, and its words do not say which."""
    for wrong in ({"password": "wrong"}, {"user": "NOBODY"}):
        with pytest.raises(DatabaseError, match="Incorrect username or password was specified"):
            snowflake_session(snowflake, **wrong)


def test_a_key_pair_is_checked(snowflake: SnowflakeServer) -> None:
    """A login signed by the user's key is let in, one signed by another key is not."""
    right, wrong = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
    public = right.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    snowflake.set(users={"ROBOT": {"public_key": public}})
    der = [x.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()) for x in (right, wrong)]
    given = {"user": "robot", "password": None, "authenticator": "SNOWFLAKE_JWT"}
    with snowflake_session(snowflake, private_key=der[0], **given) as session:
        assert fetched(session, "SELECT current_user() AS u") == [("ROBOT",)]
    with pytest.raises(DatabaseError, match="JWT token is invalid"):
        snowflake_session(snowflake, private_key=der[1], **given)


def test_a_token_is_checked(snowflake: SnowflakeServer) -> None:
    """An OAuth login needs the token that the user was given."""
    snowflake.set(users={"ROBOT": {"token": "given"}})
    given = {"user": "ROBOT", "password": None, "authenticator": "oauth"}
    with snowflake_session(snowflake, token="given", **given) as session:
        assert fetched(session, "SELECT 1 AS x") == [(1,)]
    with pytest.raises(DatabaseError, match="Invalid OAuth access token"):
        snowflake_session(snowflake, token="other", **given)


def test_a_browser_signs_in(snowflake: SnowflakeServer, tmp_path: Path) -> None:
    """A login by `externalbrowser` opens a page in the browser, and what that hands back lets it in."""
    visit = "import sys, urllib.request as u; u.urlopen(sys.argv[1].replace('https', 'http', 1), timeout=20).read()"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\n"{sys.executable}" -c "{visit}" "$1" >/dev/null 2>&1 &\n')
    browser.chmod(0o755)
    snowflake.set(users={"ANNA": {"browser": True}})
    given = snowflake.connection(user="ANNA", password=None, authenticator="externalbrowser")
    program = (
        "import snowflake.connector as c, sys; s = c.connect(**eval(sys.argv[1]));"
        "print(s.cursor().execute('SELECT current_user() AS u').fetchall()); s.close()"
    )
    surroundings = {**os.environ, "BROWSER": str(browser)}
    command = [sys.executable, "-c", program, repr(given)]
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, timeout=60, check=False)
    assert "[('ANNA',)]" in done.stdout, done.stderr


def test_an_expired_session_is_renewed(snowflake: SnowflakeServer) -> None:
    """The connector renews an expired session by itself; it is the same session afterwards."""
    with snowflake_session(snowflake) as session:
        before = fetched(session, "SELECT current_session() AS s")
        snowflake.expire_sessions()
        assert fetched(session, "SELECT current_session() AS s") == before


def test_a_session_may_be_beyond_renewal(snowflake: SnowflakeServer) -> None:
    """Where the master token has expired too, statements fail with Snowflake's number for it."""
    with snowflake_session(snowflake) as session:
        snowflake.expire_sessions(master=True)
        with pytest.raises(DatabaseError) as failed:
            fetched(session, "SELECT 1 AS x")
    assert failed.value.errno == 390114


def test_a_login_makes_no_database(snowflake: SnowflakeServer) -> None:
    """A session with a database that does not exist opens, and fails at its first table."""
    nowhere = snowflake_session(snowflake, database="NOWHERE", schema="PUBLIC")
    with nowhere, pytest.raises(ProgrammingError, match="does not have a current database"):
        fetched(nowhere, "CREATE TABLE t (id INT)")


def test_statements_are_logged(snowflake: SnowflakeServer) -> None:
    """What was received can be read, each with the tag that the session had then."""
    with snowflake_session(snowflake, session_parameters={"QUERY_TAG": "first"}) as session:
        fetched(session, "SELECT 1 AS x")
        fetched(session, "ALTER SESSION SET QUERY_TAG = 'second'")
        fetched(session, "SELECT 2 AS x")
        fetched(session, "ALTER SESSION UNSET QUERY_TAG")
        fetched(session, "SELECT 3 AS x")
    seen = {x["sql"]: x["tag"] for x in snowflake.statements()}
    assert [seen[f"SELECT {x} AS x"] for x in (1, 2, 3)] == ["first", "second", ""]


def test_session_parameters_are_taken(session) -> None:
    """ALTER SESSION and SET are taken."""
    fetched(session, "ALTER SESSION SET TIMEZONE = 'UTC', STATEMENT_TIMEOUT_IN_SECONDS = 60")
    fetched(session, "SET x = 7")
    assert fetched(session, "SELECT $x AS x") == [(7,)]


def test_the_session_knows_its_names(snowflake: SnowflakeServer) -> None:
    """CURRENT_ROLE() and the like say what the login said, and what USE changed."""
    names = "SELECT current_user() AS u, current_role() AS r, current_warehouse() AS w"
    with snowflake_session(snowflake, role="LOADER", warehouse="SMALL") as session:
        assert fetched(session, names) == [("LANDBRIDGE", "LOADER", "SMALL")]
        fetched(session, "USE ROLE reader")
        fetched(session, "USE WAREHOUSE large")
        assert fetched(session, names) == [("LANDBRIDGE", "READER", "LARGE")]
        [(account, now)] = fetched(session, "SELECT current_account() AS a, current_timestamp() AS t")
    assert account == "LANDBRIDGE_TEST"
    assert abs((datetime.now(UTC) - now).total_seconds()) < 60


def test_roles_and_grants_are_taken(session) -> None:
    """Statements of administration are taken; SHOW GRANTS has an answer."""
    for sql in ("CREATE ROLE reader", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO ROLE reader"):
        fetched(session, sql)
    with session.cursor(snowflake.connector.DictCursor) as cursor:
        [row] = cursor.execute("SHOW GRANTS TO ROLE public").fetchall()
    assert (row["privilege"], row["granted_on"], row["grantee_name"]) == ("OWNERSHIP", "DATABASE", "PUBLIC")


def test_null_timestamps_stay_null(session) -> None:
    """A NULL in any timestamp type is None, and the others are what they were."""
    kinds = ("TIMESTAMP_NTZ", "TIMESTAMP_TZ", "TIMESTAMP_LTZ")
    nulls = ", ".join(f"NULL::{x} AS c{at}" for at, x in enumerate(kinds))
    assert fetched(session, f"SELECT {nulls}") == [(None,) * 3]
    assert fetched(session, "SELECT '2020-01-02 03:04:05'::TIMESTAMP_NTZ AS t") == [(datetime(2020, 1, 2, 3, 4, 5),)]  # noqa: DTZ001


def test_results_come_in_chunks(snowflake: SnowflakeServer, session) -> None:
    """A result has as many batches as the setting makes; another process fetches one without a connection."""
    snowflake.set(chunk_rows=100)
    with session.cursor() as cursor:
        batches = cursor.execute(SERIES.format(1000)).get_result_batches()
    assert [x.rowcount for x in batches] == [100] * 10
    program = "import pickle, sys; print(len(list(pickle.load(sys.stdin.buffer))))"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, input=pickle.dumps(batches[5]), capture_output=True, check=False)
    assert done.stdout == b"100\n", done.stderr


@pytest.mark.parametrize(("mode", "kind"), [(0, pa.int64()), (1, pa.int8())])
def test_integers_travel_narrow(snowflake: SnowflakeServer, session, mode: int, kind: pa.DataType) -> None:
    """NUMBER(p, 0) has the width that its values need, in one result one width."""
    snowflake.set(arrow=mode, chunk_rows=10)
    assert {x.schema.field(0).type for x in arrow(session, SERIES.format(100))} == {kind}


def test_widths_may_differ_by_chunk(snowflake: SnowflakeServer, session) -> None:
    """In mode 2 each chunk has a width of its own."""
    snowflake.set(arrow=2, chunk_rows=100)
    found = [x.schema.field(0).type for x in arrow(session, f"{SERIES.format(300)} ORDER BY 1")]
    assert found == [pa.int8(), pa.int16(), pa.int16()]


def test_decimals_travel_as_scaled_integers(session) -> None:
    """NUMBER(p, s) is a double unless the connector is asked for decimals, as from Snowflake; values are exact."""
    sql = "SELECT column1::NUMBER(18, 4) AS n FROM VALUES (1.2345), (-99.5), (NULL)"
    [plain] = arrow(session, sql)
    assert plain.schema.field(0).type == pa.float64()
    with session.cursor() as cursor:
        [batch] = cursor.execute(sql).get_result_batches()
    if "number_to_decimal" in inspect.signature(batch.to_arrow).parameters:  # connector 5; 4 has a connection setting
        exact = batch.to_arrow(number_to_decimal=True).column(0)
        assert exact.to_pylist() == [Decimal("1.2345"), Decimal("-99.5000"), None]
    assert fetched(session, sql) == [(Decimal("1.2345"),), (Decimal("-99.5000"),), (None,)]


def test_decimals_are_bound(snowflake: SnowflakeServer, sf_database: str) -> None:
    """A Decimal that is bound arrives exactly."""
    with snowflake_session(snowflake, database=sf_database, schema="PUBLIC", paramstyle="qmark") as session:
        fetched(session, "CREATE TABLE t (n NUMBER(18, 4))")
        fetched(session, "INSERT INTO t VALUES (?)", (Decimal("1.2345"),))
        assert fetched(session, "SELECT n AS n FROM t") == [(Decimal("1.2345"),)]


def test_files_are_put_listed_got_and_removed(session, tmp_path: Path) -> None:
    """PUT, LIST of a path, GET and REMOVE of a path do what they say."""
    file = parquet(tmp_path)
    fetched(session, "CREATE TEMPORARY STAGE s")
    for folder in ("a", "b"):
        sql = f"PUT 'file://{file}' @s/{folder}/ AUTO_COMPRESS=FALSE OVERWRITE=TRUE PARALLEL=4"
        [row] = fetched(session, sql)
        assert "UPLOADED" in row
    assert [(name, size) for name, size, *_ in fetched(session, "LIST @s/b/")] == [
        ("s/b/part.parquet", file.stat().st_size)
    ]
    (tmp_path / "back").mkdir()
    fetched(session, f"GET @s/a/ 'file://{tmp_path / 'back'}/'")
    assert (tmp_path / "back" / "part.parquet").read_bytes() == file.read_bytes()
    assert fetched(session, "REMOVE @s/a/") == [("s/a/part.parquet", "removed")]
    assert [x[0] for x in fetched(session, "LIST @s")] == ["s/b/part.parquet"]


def test_many_files_are_put_at_once(session, tmp_path: Path) -> None:
    """PUT takes a pattern; each file arrives whole under its own name."""
    sizes = []
    for rows in (3, 300):
        file = parquet(tmp_path, rows).rename(tmp_path / f"part-{rows:03}.parquet")
        sizes.append((f"s/{file.name}", file.stat().st_size))
    fetched(session, "CREATE STAGE s")
    fetched(session, f"PUT 'file://{tmp_path}/*.parquet' @s AUTO_COMPRESS=FALSE")
    assert [x[:2] for x in fetched(session, "LIST @s")] == sizes


@pytest.mark.skipif(MAJOR < 5, reason="connector 4 does not look before it writes to a presigned address")
def test_put_keeps_what_is_there(session, tmp_path: Path) -> None:
    """Without OVERWRITE a file of the same name stays as it is."""
    fetched(session, "CREATE STAGE s")
    for rows in (3, 4):
        fetched(session, f"PUT 'file://{parquet(tmp_path, rows)}' @s/a/ AUTO_COMPRESS=FALSE")
    fetched(session, "CREATE TABLE t (id INT)")
    fetched(session, 'COPY INTO t FROM (SELECT $1:"c0"::INT FROM @s/a/) FILE_FORMAT = (TYPE = PARQUET)')
    assert fetched(session, "SELECT count(*) AS n FROM t") == [(3,)]


def test_what_get_fetches_is_encrypted(snowflake: SnowflakeServer, session) -> None:
    """The answer to GET names a key for each file; what lies at its address is no Parquet, and says how to open it."""
    fetched(session, "CREATE STAGE s")
    fetched(session, "COPY INTO @s FROM (SELECT 1 AS x) FILE_FORMAT = (TYPE = PARQUET)")
    who = {"LOGIN_NAME": snowflake.user, "PASSWORD": snowflake.password, "SESSION_PARAMETERS": {}}
    token = asked(snowflake, "session/v1/login-request", {"data": who})["data"]["token"]
    sql = f"GET @{session.database}.PUBLIC.s 'file:///tmp/'"
    data = asked(snowflake, "queries/v1/query-request", {"sqlText": sql}, token)["data"]
    [material] = data["encryptionMaterial"]
    assert len(b64decode(material["queryStageMasterKey"])) == 16
    with urlopen(data["presignedUrls"][0], timeout=20) as answer:  # noqa: S310 - the emulator's own http URL
        content, told = answer.read(), json.loads(answer.headers["x-goog-meta-encryptiondata"])
    assert (content[:4] != b"PAR1", len(content) % 16, told["EncryptionMode"]) == (True, 0, "FullBlob")


def asked(server: SnowflakeServer, path: str, content: dict, token: str = "") -> dict:
    """A request as connectors send them."""
    headers = {"Authorization": f'Snowflake Token="{token}"', "Content-Encoding": "gzip"}
    body = gzip.compress(json.dumps(content).encode())
    request = Request(f"http://{server.host}:{server.port}/{path}", body, headers)
    with urlopen(request, timeout=20) as answer:  # noqa: S310 - the emulator's own http URL
        return json.load(answer)


def test_a_stage_needs_its_schema(session) -> None:
    """CREATE STAGE in a schema that is not there is refused, as what may not be seen is."""
    with pytest.raises(ProgrammingError, match=r"Schema '\w+.NOWHERE' does not exist or not authorized"):
        fetched(session, "CREATE STAGE nowhere.s")


def test_a_stage_is_dropped_with_its_files(session, tmp_path: Path) -> None:
    """DROP STAGE removes the stage; a new one of its name is empty."""
    fetched(session, "CREATE STAGE s")
    fetched(session, f"PUT 'file://{parquet(tmp_path)}' @s")
    fetched(session, "DROP STAGE s")
    with pytest.raises(ProgrammingError, match="does not exist or not authorized"):
        fetched(session, "LIST @s")
    fetched(session, "DROP STAGE IF EXISTS s")
    fetched(session, "CREATE STAGE s")
    assert fetched(session, "LIST @s") == []


def test_tables_are_unloaded(snowflake: SnowflakeServer, session, tmp_path: Path) -> None:
    """COPY INTO a stage writes Parquet files that hold the rows, and says which."""
    snowflake.set(unload_rows=40)
    fetched(session, "CREATE STAGE s")
    sql = f"COPY INTO @s/x/ FROM ({SERIES.format(100)}) FILE_FORMAT = (TYPE = PARQUET) HEADER = TRUE"
    assert [x[2] for x in fetched(session, f"{sql} DETAILED_OUTPUT = TRUE")] == [40, 40, 20]
    with pytest.raises(ProgrammingError, match="Files already existing at the unload destination"):
        fetched(session, sql)
    assert fetched(session, f"{sql} OVERWRITE = TRUE")[0][0] == 100
    fetched(session, f"GET @s/x/ 'file://{tmp_path}/'")
    assert sorted(pq.read_table(tmp_path)["ID"].to_pylist()) == list(range(100))


def test_time_zones_are_not_unloaded(session) -> None:
    """Parquet takes no TIMESTAMP_TZ."""
    fetched(session, "CREATE STAGE s")
    with pytest.raises(ProgrammingError, match="TIMESTAMP_TZ"):
        fetched(session, "COPY INTO @s/x/ FROM (SELECT current_timestamp() AS t) FILE_FORMAT = (TYPE = PARQUET)")


def test_copy_options_mean_what_they_say(session, tmp_path: Path) -> None:
    """FORCE = FALSE loads no file twice, PURGE = FALSE leaves it, FILES names it."""
    fetched(session, "CREATE STAGE s")
    fetched(session, "CREATE TABLE t (c0 INT)")
    fetched(session, f"PUT 'file://{parquet(tmp_path)}' @s/a/ AUTO_COMPRESS=FALSE")
    options = "FILE_FORMAT = (TYPE = PARQUET) MATCH_BY_COLUMN_NAME = 'CASE_INSENSITIVE' FORCE = FALSE PURGE = FALSE"
    for _ in range(2):
        fetched(session, f"COPY INTO t FROM @s/a/ FILES = ('part.parquet') {options}")
    assert fetched(session, "SELECT count(*) AS n FROM t") == [(3,)]
    assert len(fetched(session, "LIST @s")) == 1


def test_keys_are_known_and_not_enforced(session) -> None:
    """Keys take doubles; SHOW … KEYS tells of each, in order, also after a rename; a primary key is NOT NULL."""
    fetched(session, "CREATE TABLE p (a INT, b INT, PRIMARY KEY (b, a))")
    fetched(session, "CREATE TABLE t (id INT PRIMARY KEY, u INT UNIQUE, x INT, y INT)")
    fetched(session, "ALTER TABLE t ADD CONSTRAINT to_p FOREIGN KEY (x, y) REFERENCES p (b, a)")
    fetched(session, "INSERT INTO t VALUES (1, 1, 7, 7), (1, 1, 7, 7)")
    fetched(session, "ALTER TABLE t RENAME TO r")
    assert [x[4:6] for x in fetched(session, "SHOW PRIMARY KEYS IN TABLE p")] == [("B", 1), ("A", 2)]
    primary = fetched(session, "SHOW PRIMARY KEYS IN SCHEMA")
    assert [x[3:6] for x in primary] == [("P", "B", 1), ("P", "A", 2), ("R", "ID", 1)]
    assert [x[3:6] for x in fetched(session, "SHOW UNIQUE KEYS IN TABLE r")] == [("R", "U", 1)]
    foreign = fetched(session, "SHOW IMPORTED KEYS IN TABLE r")
    assert [(x[3], x[4], x[7], x[8], x[12]) for x in foreign] == [
        ("P", "B", "R", "X", "TO_P"),
        ("P", "A", "R", "Y", "TO_P"),
    ]
    with pytest.raises(IntegrityError):
        fetched(session, "INSERT INTO r VALUES (NULL, 1, 1, 1)")
    with pytest.raises(ProgrammingError, match="does not exist or not authorized"):
        fetched(session, "SHOW PRIMARY KEYS IN TABLE t")


def test_keys_follow_their_columns(session) -> None:
    """A key is renamed and dropped with its columns, or alone."""
    fetched(session, "CREATE TABLE t (id INT PRIMARY KEY, u INT, v INT, CONSTRAINT uv UNIQUE (u, v), UNIQUE (u))")
    fetched(session, "ALTER TABLE t RENAME COLUMN id TO new")
    assert [x[4] for x in fetched(session, "SHOW PRIMARY KEYS IN TABLE t")] == ["NEW"]
    fetched(session, "ALTER TABLE t DROP PRIMARY KEY")
    assert fetched(session, "SHOW PRIMARY KEYS IN TABLE t") == []
    fetched(session, "ALTER TABLE t DROP CONSTRAINT uv")
    assert [x[4] for x in fetched(session, "SHOW UNIQUE KEYS IN TABLE t")] == ["U"]
    fetched(session, "ALTER TABLE t DROP COLUMN u")
    assert fetched(session, "SHOW UNIQUE KEYS IN TABLE t") == []


def test_two_tables_are_swapped(session) -> None:
    """SWAP WITH exchanges rows and keys."""
    fetched(session, "CREATE TABLE a (id INT PRIMARY KEY)")
    fetched(session, "CREATE TABLE b (id INT)")
    fetched(session, "INSERT INTO b VALUES (1)")
    fetched(session, "ALTER TABLE a SWAP WITH b")
    assert fetched(session, "SELECT count(*) AS n FROM a") == [(1,)]
    assert len(fetched(session, "SHOW PRIMARY KEYS IN TABLE b")) == 1


def test_truncate_if_exists(session) -> None:
    """TRUNCATE TABLE IF EXISTS empties a table, and is content with none."""
    fetched(session, "CREATE TABLE t AS SELECT 1 AS id")
    for table in ("t", "nothing"):
        fetched(session, f"TRUNCATE TABLE IF EXISTS {table}")
    assert fetched(session, "SELECT count(*) AS n FROM t") == [(0,)]


def test_ddl_commits(session) -> None:
    """What was written before DDL in a transaction cannot be rolled back after it."""
    fetched(session, "CREATE TABLE t (id INT)")
    for sql in ("BEGIN", "INSERT INTO t VALUES (1)", "CREATE TABLE u (id INT)", "ROLLBACK"):
        fetched(session, sql)
    assert fetched(session, "SELECT count(*) AS n FROM t") == [(1,)]


def test_who_writes_a_row_that_another_has_written_gets_no_lock(session, snowflake, sf_database) -> None:
    """Snowflake lets it wait; that it ever ends with this error is what can be had here. After a rollback it works."""
    fetched(session, "CREATE TABLE t AS SELECT 1 AS id")
    with snowflake_session(snowflake, database=sf_database, schema="PUBLIC") as other:
        for sql in ("BEGIN", "UPDATE t SET id = 2"):
            fetched(other, sql)
        fetched(session, "BEGIN")
        with pytest.raises(ProgrammingError) as caught:
            fetched(session, "UPDATE t SET id = 3")
        assert (caught.value.errno, caught.value.sqlstate) == (625, "57014")
        fetched(other, "COMMIT")
    for sql in ("ROLLBACK", "BEGIN", "UPDATE t SET id = 3 WHERE id = 2", "COMMIT"):
        fetched(session, sql)
    assert fetched(session, "SELECT id FROM t") == [(3,)]


def test_time_travel_is_taken(session) -> None:
    """AT is taken; what it reads is the table as it is now."""
    fetched(session, "CREATE TABLE t AS SELECT 1 AS id")
    sql = "SELECT t.id AS id FROM t AT(TIMESTAMP => '2020-01-01 00:00:00'::TIMESTAMP_NTZ) AS t"
    assert fetched(session, sql) == [(1,)]


def test_binary_may_have_a_length(session) -> None:
    """BINARY(n) is a type."""
    fetched(session, "CREATE TABLE t (b BINARY(16))")
    fetched(session, "INSERT INTO t SELECT to_binary('00ff', 'HEX')")
    assert bytes(fetched(session, "SELECT b AS b FROM t")[0][0]) == b"\x00\xff"


def test_what_is_missing_fails_at_once(session) -> None:
    """A statement that the emulator cannot run is an error, not a server's fault that connectors repeat for minutes."""
    fetched(session, "CREATE TABLE t (id INT)")
    with pytest.raises(ProgrammingError, match="not in the test layer: ValueError: Unknown copy parameter"):
        fetched(session, "COPY INTO t FROM @%t SIZE_LIMIT = 1")


def test_nanoseconds_lie_between_clocks(session) -> None:
    """DATEDIFF(NANOSECOND, …) of TIME is a number."""
    assert fetched(session, "SELECT DATEDIFF(NANOSECOND, '00:00:00'::TIME, '00:00:01.000002'::TIME) AS n") == [
        (1_000_002_000,)
    ]


def test_like_takes_any_type(session) -> None:
    """A clock is compared with a pattern as its text."""
    open_end = "'9999-12-31 23:59:59'::TIMESTAMP_NTZ"
    assert fetched(session, f"SELECT {open_end} LIKE '%9999%' AS a, {open_end} LIKE '%2024%' AS b") == [(True, False)]
