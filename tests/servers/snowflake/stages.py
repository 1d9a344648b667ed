"""Files on stages: PUT and GET over HTTP, LIST, REMOVE, and COPY INTO a stage."""

import base64
import hashlib
import json
import os
import re
import secrets
import shutil
from email.utils import formatdate
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import fakesnow.copy_into
import pyarrow as pa
import pyarrow.parquet as pq
from fakesnow.conn import FakeSnowflakeConnection
from fakesnow.transforms import stage
from fakesnow.transforms.options import parse_options
from snowflake.connector.encryption_util import SnowflakeEncryptionUtil
from snowflake.connector.errors import ProgrammingError
from snowflake.connector.storage_client import SnowflakeFileEncryptionMaterial
from sqlglot import exp
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from tests.servers.snowflake import keys
from tests.servers.snowflake.rows import rows, succeeded
from tests.servers.snowflake.state import STATE

BUCKET = Path(stage.LOCAL_BUCKET_PATH)
GET = re.compile(r"(?is)\s*get\s+'?(@[^\s']+)'?\s+'?file://([^\s']+)'?(?:.*\bpattern\s*=\s*'([^']*)')?")
OVERWRITE = re.compile(r"(?i)\boverwrite\s*=\s*true\b")
REMOVED = re.compile(r"(?i)\s*'?(@[^\s']+)'?(?:\s+pattern\s*=\s*'([^']*)')?")
STAGES = "_fs_global._fs_information_schema._fs_stages WHERE (database_name, schema_name, name) = (?, ?, ?)"
STAGE_INFO = {
    "region": "us-central1",
    "path": "",
    "storageAccount": None,
    "endPoint": None,
    "isClientSideEncrypted": False,
}


def folder_of(connection: FakeSnowflakeConnection, reference: str) -> tuple[Path, str]:
    """Folder of the stage that `@stage/path` names, and the path. Raises ProgrammingError where there is none."""
    name, _, path = reference.strip("'").removeprefix("@").partition("/")
    parts = stage.parts_from_var(name, connection.database, connection.schema)
    full = ".".join(parts)
    if not connection._duck_conn.cursor().execute(f"SELECT 1 FROM {STAGES}", parts).fetchone():
        raise stage.not_found_error(full)
    return Path(stage.internal_dir(full)), path


def files(folder: Path, path: str, pattern: str | None = None) -> list[Path]:
    """Files whose names within the stage begin with `path` and are all matched by `pattern`."""
    names = [(x, str(x.relative_to(folder))) for x in sorted(folder.rglob("*")) if x.is_file()]
    return [x for x, name in names if name.startswith(path) and (not pattern or re.fullmatch(pattern, name))]


def name_of(file: Path) -> str:
    """`stage/path` as Snowflake lists it."""
    return stage.internal_file_name(str(file))


def upload(data: dict, sql: str, address: str, *, connector: int) -> dict:
    """Where PUT shall write, with all fields that connector 5 asks for, and OVERWRITE honoured.

    Connector 5 gets a token and this server as endpoint; connector 4 would speak TLS to such an endpoint, so it gets
    a presigned address. fakesnow sends only the latter, and lets everything be overwritten.
    """
    info = STAGE_INFO | data["stageInfo"]
    if connector >= 5:
        place = info["presignedUrl"].removeprefix(address).rpartition("/")[0]
        info |= {"location": f"{place}/", "creds": {"GCS_ACCESS_TOKEN": "test"}, "endPoint": address.rstrip("/")}
        info["presignedUrl"] = None
    return transfer("UPLOAD") | data | {"stageInfo": info, "overwrite": bool(OVERWRITE.search(sql))}


def download(connection: FakeSnowflakeConnection, sql: str, address: str) -> dict | None:
    """What GET answers: an address and a key for each file; None for another statement. fakesnow refuses GET."""
    if not (found := GET.match(sql)):
        return None
    folder, path = folder_of(connection, found[1])
    chosen = files(folder, path, found[3])
    info = {"locationType": "GCS", "location": f"{folder.relative_to(BUCKET)}/", "creds": {}, "presignedUrl": None}
    codes = [base64.b64encode(secrets.token_bytes(16)).decode() for _ in chosen]
    places = [
        f"{quote(str(x.relative_to(BUCKET)))}?key={quote(code, '')}" for x, code in zip(chosen, codes, strict=True)
    ]
    return transfer("DOWNLOAD") | {
        "src_locations": [str(x.relative_to(folder)) for x in chosen],
        "presignedUrls": [f"{address}fs_bucket/{place}" for place in places],
        "encryptionMaterial": [{"queryStageMasterKey": code, "queryId": "0", "smkId": "1"} for code in codes],
        "localLocation": found[2],
        "stageInfo": STAGE_INFO | info,
    }


def transfer(command: str) -> dict:
    """The fields that PUT and GET answers share."""
    fixed = {"operation": "Node", "parallel": 4, "threshold": 209715200, "encryptionMaterial": None, "rowtype": []}
    fixed |= {"autoCompress": True, "overwrite": False, "sourceCompression": "none", "total": 0}
    fixed |= {"clientShowEncryptionParameter": False, "statementTypeId": None}
    return {"command": command, "queryId": secrets.token_hex(16), **fixed}


def stage_file(request: Request) -> Response:
    """A file of a stage, for GET, and for the look that PUT takes before it writes. fakesnow's bucket only takes.

    What GET fetches is encrypted for the client, as the files of every stage are that does not say otherwise.
    """
    file = (BUCKET / request.path_params["path"]).resolve()
    if not file.is_file() or not file.is_relative_to(BUCKET.resolve()):
        return Response(status_code=404)
    if key := request.query_params.get("key"):
        return encrypted(file.read_bytes(), key)
    return FileResponse(file, media_type="application/octet-stream")


def encrypted(content: bytes, key: str) -> Response:
    """A file under a key of its own, which is sent along under `key`."""
    sealed = BytesIO()
    given = SnowflakeFileEncryptionMaterial(key, "0", 1)
    how = SnowflakeEncryptionUtil.encrypt_stream(given, BytesIO(content), sealed)
    agent = {"EncryptionAgent": {"Protocol": "1.0", "EncryptionAlgorithm": "AES_CBC_256"}}
    wrapped = {"WrappedContentKey": {"KeyId": "symmKey1", "EncryptedKey": how.key, "Algorithm": "AES_CBC_256"}}
    told = {"EncryptionMode": "FullBlob", **wrapped, **agent, "ContentEncryptionIV": how.iv}
    headers = {"x-goog-meta-encryptiondata": json.dumps(told), "x-goog-meta-matdesc": how.matdesc}
    return Response(sealed.getvalue(), headers=headers, media_type="application/octet-stream")


def listing(connection: FakeSnowflakeConnection, expression: exp.Expr) -> exp.Expr:
    """LIST takes a path and a pattern. fakesnow lists whole stages only."""
    if not isinstance(expression, exp.ListStage):
        return expression
    pattern = expression.args.get("pattern")
    chosen = files(*folder_of(connection, expression.this.name), pattern.name if pattern else None)
    seen = [(name_of(x), x.stat().st_size, digest(x), formatdate(x.stat().st_mtime, usegmt=True)) for x in chosen]
    return rows({"name": str, "size": int, "md5": str, "last_modified": str}, seen)


def digest(file: Path) -> str:
    """MD5, which LIST shows."""
    return hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()


def removal(connection: FakeSnowflakeConnection, expression: exp.Expr) -> exp.Expr:
    """REMOVE and RM delete files of a stage. fakesnow refuses them."""
    if not (isinstance(expression, exp.Command) and str(expression.this).upper() in ("REMOVE", "RM")):
        return expression
    found = REMOVED.match(expression.expression.name)
    chosen = files(*folder_of(connection, found[1]), found[2])
    answer = rows({"name": str, "result": str}, [(name_of(x), "removed") for x in chosen])
    for file in chosen:
        file.unlink()
    return answer


def stage_made(connection: FakeSnowflakeConnection, expression: exp.Expr) -> exp.Expr:
    """CREATE STAGE needs a schema that is there. fakesnow makes it anywhere."""
    if isinstance(expression, exp.Create) and str(expression.args.get("kind")).upper() == "STAGE":
        database, schema, _ = keys.full_name(connection, expression.find(exp.Table))
        known = "SELECT 1 FROM information_schema.schemata WHERE (catalog_name, schema_name) = (?, ?)"
        if not connection._duck_conn.cursor().execute(known, (database, schema)).fetchone():
            words = f"SQL compilation error:\nSchema '{database}.{schema}' does not exist or not authorized."
            raise ProgrammingError(msg=words, errno=2003, sqlstate="02000")
    return expression


def stage_drop(connection: FakeSnowflakeConnection, expression: exp.Expr) -> exp.Expr:
    """DROP STAGE deletes the stage and its files. fakesnow refuses it."""
    if not (isinstance(expression, exp.Drop) and expression.args.get("kind") == "STAGE"):
        return expression
    try:
        folder, _ = folder_of(connection, expression.args["tables"][0].sql("snowflake"))
    except ProgrammingError:
        if expression.args.get("exists"):
            return succeeded()
        raise
    parts = folder.relative_to(BUCKET).parts
    connection._duck_conn.cursor().execute(f"DELETE FROM {STAGES}", parts)
    shutil.rmtree(folder, ignore_errors=True)
    return succeeded()


def copy_files_by_name() -> None:
    """COPY INTO a table FROM an internal stage takes FILES = (…). fakesnow takes it for outer places only."""
    urls = fakesnow.copy_into._source_urls

    def source_urls(source: str, names: list[str]) -> list[str]:
        return [os.path.join(source, x) for x in names] if stage.is_internal(source) else urls(source, names)  # noqa: PTH118

    fakesnow.copy_into._source_urls = source_urls


def unload(connection: FakeSnowflakeConnection, expression: exp.Expr) -> exp.Expr:
    """COPY INTO @stage writes Parquet files, refuses time zones, and does not overwrite. fakesnow refuses all of it."""
    if not (isinstance(expression, exp.Copy) and isinstance(expression.this.this, exp.Var)):
        return expression
    options = {x.name.upper(): x for x in expression.args["params"]}
    if "PARQUET" not in str(parse_options(options["FILE_FORMAT"].expressions).get("TYPE")).upper():
        raise ProgrammingError(msg="the test layer unloads Parquet only", errno=2, sqlstate="0A000")
    folder, path = folder_of(connection, expression.this.this.name)
    source = expression.args["files"][0]
    query = source.this if isinstance(source, exp.Subquery) else exp.select("*").from_(source)
    table = connection.cursor().execute(query.sql("snowflake"))._arrow_table
    written = write(table, folder / (f"{path}data" if path.endswith("/") or not path else path), options)
    if is_true(options, "DETAILED_OUTPUT"):
        seen = [(str(file.relative_to(folder)), file.stat().st_size, count) for file, count in written]
        return rows({"FILE_NAME": str, "FILE_SIZE": int, "ROW_COUNT": int}, seen)
    size = sum(file.stat().st_size for file, _ in written)
    counted = [(table.num_rows, table.nbytes, size)]
    return rows({"rows_unloaded": int, "input_bytes": int, "output_bytes": int}, counted)


def is_true(options: dict[str, exp.Expr], name: str) -> bool:
    """Whether a copy option is given as TRUE."""
    return name in options and options[name].expression == exp.true()


def write(table: pa.Table, start: Path, options: dict[str, exp.Expr]) -> list[tuple[Path, int]]:
    """Files of at most `unload_rows` rows, named as Snowflake names them: start, thread, number."""
    if any(pa.types.is_timestamp(x) and x.tz for x in table.schema.types):
        words = "Error encountered when unloading to PARQUET: TIMESTAMP_TZ and LTZ types are not supported"
        raise ProgrammingError(msg=words, errno=2, sqlstate="0A000")
    if not is_true(options, "HEADER"):
        table = table.rename_columns([f"_COL_{x}" for x in range(table.num_columns)])
    start.parent.mkdir(parents=True, exist_ok=True)
    written = []
    for number, row in enumerate(range(0, table.num_rows, STATE.settings.unload_rows)):
        file = start.with_name(f"{start.name}_0_{number % 8}_{number // 8}.snappy.parquet")
        if file.exists() and not is_true(options, "OVERWRITE"):
            words = "Files already existing at the unload destination. Use overwrite option to force unloading."
            raise ProgrammingError(msg=words, errno=1030, sqlstate="22000")
        part = table.slice(row, STATE.settings.unload_rows)
        pq.write_table(part, file)
        written.append((file, part.num_rows))
    return written
