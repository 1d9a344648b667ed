"""The JSON that goes to and fro."""

import gzip
import json
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse


async def message(request: Request) -> dict:
    """Body of a request, which connectors may compress."""
    body = await request.body()
    return json.loads(gzip.decompress(body) if request.headers.get("Content-Encoding") == "gzip" else body)


def success(data: dict | None) -> JSONResponse:
    """An answer; connector 5 wants all four fields."""
    return JSONResponse({"data": data, "code": None, "message": None, "success": True})


def failure(code: str, words: str, *, state: str | None = None, status: int = HTTPStatus.OK) -> JSONResponse:
    """An error as Snowflake reports it: with status 200, but for a session that it never knew."""
    data = {"errorCode": code, "sqlState": state} if state else None
    return JSONResponse({"data": data, "code": code, "message": words, "success": False}, status_code=status)
