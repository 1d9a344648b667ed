"""How a Snowflake account is reached (docs/snowflake.md)."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from landbridge.connectors.local import is_local
from landbridge.schema.names import unfold

# as in SQL without quotes: a name without an upper-case letter is meant in upper case
Name = Annotated[str, Field(min_length=1), AfterValidator(unfold)]

# by auth_method; sso needs nothing
NEEDED = {"password": "password", "key_pair": "private_key_path", "oauth": "token", "pat": "token"}


class SnowflakeOptions(BaseModel):
    """The account, who logs in and how (seed 000, section 0.4)."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    type: Literal["snowflake"] = Field(description="the kind of connection")
    account: str = Field(min_length=1, description="account identifier, as in abc123.us-east-1")
    region: str | None = Field(None, min_length=1, description="region, where the account does not name it")
    user: str = Field(min_length=1, description="user to log in as")
    role: Name | None = Field(None, description="role to take; default: the user's own")
    warehouse: Name = Field(description="warehouse that runs the queries")
    database: Name = Field(description="database where a table names none")
    schema_: Name = Field(alias="schema", description="schema where a table names none")
    auth_method: Literal["sso", "password", "key_pair", "oauth", "pat"] = Field("sso", description="how to log in")
    sso_url: str | None = Field(None, min_length=1, description="identity provider, if not the account's own")
    password: SecretStr | None = Field(None, description="for auth_method password")
    private_key_path: str | None = Field(None, min_length=1, description="PKCS#8 file, for auth_method key_pair")
    private_key_passphrase: SecretStr | None = Field(None, description="what opens that file, if it is encrypted")
    token: SecretStr | None = Field(None, description="access token, for auth_method oauth or pat")
    host: str | None = Field(None, min_length=1, description="where the account answers, if not where its name says")
    port: int | None = Field(None, ge=1, le=65535, description="TCP port; default: 443")
    protocol: Literal["https", "http"] = Field("https", description="http only for a host that is this machine")
    login_timeout: int = Field(120, ge=1, description="seconds to wait for a login; a person may have to give it")
    network_timeout: int | None = Field(None, ge=1, description="seconds to retry a request; connector 5 ends queries")
    time_travel: bool = Field(True, description="read as of one instant; false where the tables keep no history")
    unload: bool = Field(False, description="read tables by files that COPY INTO writes into a stage")
    streams: int = Field(4, ge=1, le=16, description="uploads of one load at once")

    @model_validator(mode="after")
    def _has_what_its_method_needs(self) -> Self:
        needed = NEEDED.get(self.auth_method)
        if needed is not None and getattr(self, needed) is None:
            # `at` names the field that the error is about
            raise PydanticCustomError(
                "needed", "missing; auth_method {method} needs it", {"method": self.auth_method, "at": needed}
            )
        if self.protocol == "http" and not is_local(self.host or ""):
            raise PydanticCustomError("http", "must be https for any host but this machine", {"at": "protocol"})
        return self
