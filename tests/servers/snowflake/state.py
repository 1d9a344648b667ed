"""What the tests of one server process set and read: settings, statements received, sessions, chunks of results."""

from dataclasses import dataclass, field

from fakesnow.conn import FakeSnowflakeConnection


@dataclass
class Settings:
    """What a test may change; each is back at its default for the next test."""

    # user name -> what proves it: "password", "public_key" (PEM), "token" (OAuth or programmatic), "browser": true
    users: dict[str, dict[str, object]] = field(default_factory=dict)
    # NUMBER travels as 0: fakesnow's decimals; 1: the narrowest scaled integer; 2: as 1, chosen for each chunk
    arrow: int = 1
    chunk_rows: int = 100_000
    unload_rows: int = 250_000


@dataclass
class Session:
    """One login: who, and what its statements are logged with."""

    id: int
    user: str
    role: str
    warehouse: str | None
    tag: str
    connection: FakeSnowflakeConnection
    token: str
    master_token: str


@dataclass
class State:
    """All that the server remembers beside fakesnow's databases."""

    settings: Settings = field(default_factory=Settings)
    statements: list[dict[str, object]] = field(default_factory=list)
    sessions: dict[str, Session] = field(default_factory=dict)  # by session token
    expired_tokens: set[str] = field(default_factory=set)  # session and master tokens
    logins: dict[str, str] = field(default_factory=dict)  # proof key of a browser login -> user name
    chunks: dict[str, bytes] = field(default_factory=dict)


STATE = State()
