"""Logins and sessions: who is let in, and for how long."""

import json
import secrets
from http import HTTPStatus

import fakesnow.server
import jwt
from fakesnow.instance import FakeSnow
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse

from tests.servers.snowflake.messages import failure, message, success
from tests.servers.snowflake.state import STATE, Session

SESSION_EXPIRED = "390112"
MASTER_TOKEN_EXPIRED = "390114"


def databases_are_not_made_by_logins() -> None:
    """Snowflake lets a session in whose database does not exist; its statements fail. fakesnow makes the database."""
    fakesnow.server.shared_fs = FakeSnow(create_database_on_connect=False, create_schema_on_connect=False)


async def login(request: Request) -> JSONResponse:
    """Snowflake answers with a master token, by which sessions are renewed; connector 5 refuses an answer without.

    fakesnow sends none.
    """
    data = (await message(request))["data"]
    if refused := refusal(data):
        return failure(*refused)
    answer = json.loads((await fakesnow.server.login_request(request)).body)
    token, master = answer["data"]["token"], secrets.token_urlsafe(32)
    session = Session(
        id=secrets.randbelow(2**53),
        user=data["LOGIN_NAME"].upper(),
        role=request.query_params.get("roleName", "").upper() or "PUBLIC",
        warehouse=request.query_params.get("warehouse", "").upper() or None,
        tag=(data.get("SESSION_PARAMETERS") or {}).get("QUERY_TAG", ""),
        connection=fakesnow.server.sessions[token],
        token=token,
        master_token=master,
    )
    session.connection.session = session
    STATE.sessions[token] = session
    lifetime = {"validityInSeconds": 3600, "masterValidityInSeconds": 14400}
    return success(answer["data"] | {"masterToken": master, "sessionId": session.id} | lifetime)


def refusal(data: dict) -> tuple[str, str] | None:
    """Code and words for a login that Snowflake would not let in; fakesnow lets in everybody."""
    user = STATE.settings.users.get(data["LOGIN_NAME"].upper(), {})
    kind = data.get("AUTHENTICATOR", "SNOWFLAKE")
    if kind == "SNOWFLAKE_JWT":
        return None if signed(data, user) else ("390144", "JWT token is invalid.")
    if kind in ("OAUTH", "PROGRAMMATIC_ACCESS_TOKEN"):
        return None if user and data["TOKEN"] == user.get("token") else ("390303", "Invalid OAuth access token.")
    if kind == "EXTERNALBROWSER":
        known = STATE.logins.pop(data["PROOF_KEY"], None) == data["TOKEN"]
        differs = "The user you were trying to authenticate as differs from the user currently logged in at the IDP."
        return None if known and user.get("browser") else ("390191", differs)
    right = user and data.get("PASSWORD") == user.get("password")
    return None if right else ("390100", "Incorrect username or password was specified.")


def signed(data: dict, user: dict) -> bool:
    """Whether the token of a key-pair login is this user's, in time, and signed by the key registered for the user."""
    try:
        claims = jwt.decode(data["TOKEN"], str(user["public_key"]), algorithms=["RS256"])
    except (KeyError, jwt.PyJWTError):
        return False
    return claims["sub"].endswith(f".{data['LOGIN_NAME'].upper()}")


async def browser_login(request: Request) -> JSONResponse:
    """Snowflake names a page for the browser, and a key that proves who began; fakesnow has no such route."""
    data, proof = (await message(request))["data"], secrets.token_urlsafe(32)
    # https, or connector 5 opens no browser; who plays the browser asks over http
    page = f"https://{request.url.netloc}/test/sign-in?port={data['BROWSER_MODE_REDIRECT_PORT']}&proof={proof}"
    return success({"tokenUrl": page, "ssoUrl": page, "proofKey": proof})


async def sign_in(request: Request) -> RedirectResponse:
    """The page of the identity provider: signs everybody in, and hands the token to the waiting connector."""
    token = secrets.token_urlsafe(32)
    STATE.logins[request.query_params["proof"]] = token
    return RedirectResponse(f"http://localhost:{request.query_params['port']}/?token={token}")


async def renew(request: Request) -> JSONResponse:
    """Snowflake gives a new session token for the master token while that is valid; fakesnow has no such route."""
    master = fakesnow.server.to_token(request)
    session = next((x for x in STATE.sessions.values() if x.master_token == master), None)
    if session is None or master in STATE.expired_tokens:
        return failure(MASTER_TOKEN_EXPIRED, "Authentication token has expired. The user must authenticate again.")
    del STATE.sessions[session.token], fakesnow.server.sessions[session.token]
    session.token = secrets.token_urlsafe(32)
    STATE.sessions[session.token], fakesnow.server.sessions[session.token] = session, session.connection
    lifetime = {"validityInSecondsST": 3600, "validityInSecondsMT": 14400}
    tokens = {"sessionToken": session.token, "masterToken": master, "sessionId": session.id}
    return success(tokens | lifetime)


def session_of(request: Request) -> Session | JSONResponse:
    """The session of a request, or Snowflake's answer where it has expired or never was."""
    token = (request.headers.get("Authorization") or "")[17:-1]
    if token in STATE.expired_tokens:
        return failure(SESSION_EXPIRED, "Session token has expired. Please renew or login again.")
    if token not in STATE.sessions:
        words = "User must login again to access the service."
        return failure("390104", words, status=HTTPStatus.UNAUTHORIZED)
    return STATE.sessions[token]


def expire(*, master: bool) -> None:
    """End the validity of every session token of now, and of the master tokens too if `master`."""
    for session in STATE.sessions.values():
        STATE.expired_tokens |= {session.token, session.master_token} if master else {session.token}
