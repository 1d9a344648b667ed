"""An emulated Snowflake: fakesnow's own server, and what it lacks. `python -m tests.servers.snowflake.server`

It prints the port that it listens on, and serves until it is ended, or until its standard input is closed.
"""

import asyncio
import json
import socket
import sys
import threading

import fakesnow.server
import uvicorn
from fakesnow.converter import from_binding
from snowflake.connector.errors import Error
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.servers.snowflake import results, sessions, stages, statements
from tests.servers.snowflake.messages import failure, message, success
from tests.servers.snowflake.state import STATE, Session, Settings


async def query(request: Request) -> JSONResponse:
    """Run a statement as fakesnow does, answer as Snowflake does, and log it."""
    session = sessions.session_of(request)
    if isinstance(session, JSONResponse):
        return session
    asked = await message(request)
    sql, address = asked["sqlText"], str(request.base_url)
    note(session, sql)
    try:
        if found := await run_in_threadpool(stages.download, session.connection, sql, address):
            return success(found)
    except Error as error:
        return failure(f"{error.errno:06d}", error.msg, state=error.sqlstate)
    answer = json.loads((await fakesnow.server.query_request(request)).body)
    if not answer["success"]:
        code, words = answer["code"], answer["message"]
        return failure(code, words, state=(answer["data"] or {}).get("sqlState", "P0000"))
    data = answer["data"]
    if data.get("command") == "UPLOAD":
        connector = 5 if "PythonConnector/5" in request.headers.get("user-agent", "") else 4
        data = stages.upload(data, sql, address, connector=connector)
    elif "rowsetBase64" in data:
        data = await run_in_threadpool(results.encoded, data, address)
    return success(data)


def note(session: Session, sql: str) -> None:
    """Write the statement down for tests to read."""
    seen = {"sql": sql, "tag": session.tag, "session": session.id, "user": session.user, "role": session.role}
    STATE.statements.append(seen | {"warehouse": session.warehouse})


def decimals_are_bound() -> None:
    """A bound NUMBER may have a fraction. fakesnow reads it with int()."""
    from decimal import Decimal

    def binding(value: dict):
        text = value.get("value")
        is_fraction = value["type"] == "FIXED" and text is not None and not text.lstrip("+-").isdigit()
        return None if text is None else Decimal(text) if is_fraction else from_binding(value)

    fakesnow.server.from_binding = binding


async def chunk(request: Request) -> Response:
    """A part of a result; whoever knows its address may have it."""
    return Response(STATE.chunks[request.path_params["name"]], headers={"content-encoding": "gzip"})


async def change(request: Request) -> JSONResponse:
    """Start a test: these settings, an empty log, no chunks, no expired sessions."""
    STATE.settings = Settings(**await request.json())
    STATE.statements.clear()
    STATE.chunks.clear()
    STATE.expired_tokens.clear()
    return success(None)


async def adjust(request: Request) -> JSONResponse:
    """Change some settings amid a test."""
    for name, value in (await request.json()).items():
        setattr(STATE.settings, name, value)
    return success(None)


async def statements_received(request: Request) -> JSONResponse:
    """The log."""
    return JSONResponse(STATE.statements)


async def expire(request: Request) -> JSONResponse:
    """Let the sessions of now expire."""
    sessions.expire(master=(await request.json())["master"])
    return success(None)


ROUTES = [
    Route("/session/v1/login-request", sessions.login, methods=["POST"]),
    Route("/session/authenticator-request", sessions.browser_login, methods=["POST"]),
    Route("/session/token-request", sessions.renew, methods=["POST"]),
    Route("/queries/v1/query-request", query, methods=["POST"]),
    Route("/fs_bucket/{path:path}", stages.stage_file, methods=["GET", "HEAD"]),
    Route("/test/sign-in", sessions.sign_in),
    Route("/test/chunks/{name}", chunk),
    Route("/test/settings", change, methods=["PUT"]),
    Route("/test/settings", adjust, methods=["PATCH"]),
    Route("/test/statements", statements_received),
    Route("/test/expire", expire, methods=["POST"]),
]


def main() -> None:
    """Serve on a free port of 127.0.0.1."""
    statements.fill()
    decimals_are_bound()
    sessions.databases_are_not_made_by_logins()
    # the protocol said, or asyncio leaves Nagle's algorithm on: 40 ms for each statement
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    config = uvicorn.Config(Starlette(routes=ROUTES + fakesnow.server.routes), log_level="warning")
    server = uvicorn.Server(config)

    def end_with_parent() -> None:
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=end_with_parent, daemon=True).start()
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    asyncio.run(server.serve(sockets=[listening]))


if __name__ == "__main__":
    main()
