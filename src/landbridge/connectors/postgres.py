"""PostgreSQL: read and written by binary COPY."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class PostgresOptions(BaseModel):
    """How a PostgreSQL server is reached."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    type: Literal["postgres"] = Field(description="the kind of connection")
    host: str = Field(min_length=1, description="name or address; a path is the folder of a unix socket")
    port: int = Field(5432, ge=1, le=65535, description="TCP port, or the number in the socket's name")
    database: str = Field(min_length=1, description="database to connect to")
    user: str = Field(min_length=1, description="role to log in as")
    password: SecretStr | None = Field(None, description="password of the role; none where the server asks for none")
    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] | None = Field(
        None, description="libpq's sslmode; default: require, but prefer for loopback addresses and unix sockets"
    )
    sslrootcert: str | None = Field(
        None, min_length=1, description="file of the authorities that verify-ca and verify-full trust, or: system"
    )
    streams: int = Field(2, ge=1, le=16, description="COPY streams of one load")
    connect_timeout: int = Field(10, ge=1, description="seconds to wait for a connection")
