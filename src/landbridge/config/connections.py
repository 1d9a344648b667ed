"""Connections: those of landbridge.yaml, and the defaults that the environment gives (seed 000, section 0.4)."""

from pathlib import Path
from typing import cast

from pydantic import BaseModel

from landbridge.config.document import Document
from landbridge.config.environment import Environment
from landbridge.config.problems import Keys, Problems
from landbridge.config.validation import keys_of, validate
from landbridge.connectors.registry import OPTIONS, ConnectionOptions
from landbridge.schema.names import did_you_mean

# name and type of a default connection -> the keys that variables can set; the first one makes the connection
DEFAULTS = {
    "snowflake": [key for key in keys_of(OPTIONS["snowflake"]) if key != "type"],
    "postgres": ["host", "port", "database", "user", "password", "sslmode", "sslrootcert"],
}
FILES = ("path", "sslrootcert", "private_key_path")


def _secrets(options: type[BaseModel]) -> set[str]:
    return {key for key, info in options.model_fields.items() if "SecretStr" in str(info.annotation)}


SECRETS = {key for options in OPTIONS.values() for key in _secrets(options)}


def is_secret(keys: Keys) -> bool:
    """Whether the text there may be `file:…` or `cmd:…`."""
    return (
        keys in (("drive_table",), ("masking_key",))
        or (keys[:1] == ("connections",) and len(keys) == 3 and keys[2] in SECRETS)
        or (keys[:2] == ("alerts", "channels") and keys[3:] == ("url",))
    )


def add_defaults(document: Document, environment: Environment) -> None:
    """Add to `connections` what SNOWFLAKE_* and POSTGRES_* give, unless there is one of that name."""
    declared = document.get(("connections",))
    for name, keys in DEFAULTS.items():
        variables = {key: f"{name}_{key}".upper() for key in keys}
        maker = variables[keys[0]]
        if not isinstance(declared, dict) or name in declared or environment.get(maker) is None:
            continue
        document.set(("connections", name), {"type": name})
        document.places["connections", name] = environment.place(maker)
        for key, variable in variables.items():
            environment.fill(document, ("connections", name, key), variable)


def read_connections(document: Document, folder: Path, problems: Problems) -> dict[str, ConnectionOptions]:
    """The connections without problems, by name; the files that they name are absolute paths."""
    declared = document.get(("connections",))
    connections = {}
    for name in declared if isinstance(declared, dict) else ():
        at = ("connections", name)
        kind = document.get((*at, "type"))
        if isinstance(kind, str) and kind not in OPTIONS:
            problems.add(document.place((*at, "type")), f"unknown type{did_you_mean(kind, OPTIONS)}")
        elif not isinstance(document.get(at), dict):
            problems.add(document.place(at), "must be a mapping of keys to values")
        elif not isinstance(kind, str):
            problems.add(document.place((*at, "type")), f"missing, or no text; one of {', '.join(OPTIONS)}")
        elif options := validate(OPTIONS[kind], document, at, problems):
            connections[name] = with_files_below(folder, cast("ConnectionOptions", options))
    return connections


def with_files_below(folder: Path, options: ConnectionOptions) -> ConnectionOptions:
    """The options with absolute paths for the files that they name."""
    given = {key: getattr(options, key, None) for key in FILES}
    # "system" is libpq's word for the system's authorities
    return options.model_copy(
        update={key: str(folder / file) for key, file in given.items() if file not in (None, "system")}
    )
