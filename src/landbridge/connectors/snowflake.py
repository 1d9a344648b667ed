"""Snowflake: how it will be reached. The connector itself is not part of this version."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

NEEDED = {"password": "password", "key_pair": "private_key_path", "oauth": "token"}  # by auth_method; sso needs nothing


class SnowflakeOptions(BaseModel):
    """The account, who logs in and how (seed 000, section 0.4)."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    type: Literal["snowflake"] = Field(description="the kind of connection")
    account: str = Field(min_length=1, description="account identifier, as in abc123.us-east-1")
    region: str | None = Field(None, min_length=1, description="region, where the account does not name it")
    user: str = Field(min_length=1, description="user to log in as")
    role: str | None = Field(None, min_length=1, description="role to take; default: the user's own")
    warehouse: str = Field(min_length=1, description="warehouse that runs the queries")
    database: str = Field(min_length=1, description="database where a table names none")
    schema_: str = Field(alias="schema", min_length=1, description="schema where a table names none")
    auth_method: Literal["sso", "password", "key_pair", "oauth"] = Field("sso", description="how to log in")
    sso_url: str | None = Field(None, min_length=1, description="identity provider, if not the account's own")
    password: SecretStr | None = Field(None, description="for auth_method password")
    private_key_path: str | None = Field(None, min_length=1, description="PKCS#8 file, for auth_method key_pair")
    private_key_passphrase: SecretStr | None = Field(None, description="what opens that file, if it is encrypted")
    token: SecretStr | None = Field(None, description="access token, for auth_method oauth")

    @model_validator(mode="after")
    def _has_what_its_method_needs(self) -> Self:
        needed = NEEDED.get(self.auth_method)
        if needed is not None and getattr(self, needed) is None:
            # `at` names the field that the error is about
            raise PydanticCustomError(
                "needed", "missing; auth_method {method} needs it", {"method": self.auth_method, "at": needed}
            )
        return self
