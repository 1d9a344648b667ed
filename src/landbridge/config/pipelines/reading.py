"""projects/*/config.yaml, .yml and .json: every pipeline of the project, and the connections that they make."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from landbridge.config.connections import SECRETS
from landbridge.config.credentials import put_in
from landbridge.config.document import Document, read_document
from landbridge.config.environment import Environment
from landbridge.config.pipelines.building import build
from landbridge.config.pipelines.sides import Kinds
from landbridge.config.pipelines.values import Pipeline
from landbridge.config.problems import Keys, Place, Problems
from landbridge.config.tables import Table
from landbridge.connectors.registry import ConnectionOptions
from landbridge.contracts.values import Write

FOLDER = "projects"
FILES = ("config.yaml", "config.yml", "config.json")
SECRET_KEYS = {*SECRETS, "api_key"}


@dataclass(frozen=True)
class Pipelines:
    """Those without problems, in the order of their files, and the connections that their sections make, by name."""

    pipelines: tuple[Pipeline, ...] = ()
    connections: Mapping[str, ConnectionOptions] = field(default_factory=dict)


def read_pipelines(
    folder: Path,
    environment: Environment,
    known: Kinds | None,
    tables: Sequence[Table],
    problems: Problems,
    *,
    with_scripts: bool = False,
) -> Pipelines:
    """Every pipeline below `folder`; `known` are the kinds of the connections declared, None if that is not known.

    `with_scripts`: a script that is named and not there is a problem, too.
    """
    found: list[Pipeline] = []
    documents: dict[str, Document] = {}
    made: dict[str, ConnectionOptions] = {}
    for file in _files(folder, problems):
        document, pipeline, connections = read_pipeline(
            folder, file, environment, known, problems, with_scripts=with_scripts
        )
        if pipeline is None or document is None:
            continue
        documents[pipeline.name] = document
        if _is_alone(pipeline, document, found, tables, problems):
            found.append(pipeline)
            made |= connections
    return Pipelines(tuple(found), made)


def read_pipeline(
    folder: Path,
    file: str,
    environment: Environment,
    known: Kinds | None,
    problems: Problems,
    *,
    with_scripts: bool = False,
) -> tuple[Document | None, Pipeline | None, dict[str, ConnectionOptions]]:
    """One file, relative to `folder`, and the connections that it makes; None where it has problems."""
    document = read_document(folder, file, problems)
    if document is None:
        return None, None, {}
    if not isinstance(document.data, dict):
        text = "empty" if document.data is None else "must be a mapping of keys to values"
        problems.add(document.place(()), f"{text}; `landbridge new pipeline NAME` writes one")
        return document, None, {}
    put_in(document, folder, environment, _is_secret, problems)
    pipeline, made = build(document, folder, known, problems, with_scripts=with_scripts)
    return document, pipeline, made


def _files(folder: Path, problems: Problems) -> Iterable[str]:
    """Paths relative to `folder`; of two files in one folder the first is read, and that is a problem."""
    try:
        inside = sorted(path for path in (folder / FOLDER).iterdir() if path.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        reason = (error.strerror or "input/output error").lower()
        problems.add(Place(FOLDER), f"cannot be read: {reason}")
        return
    for path in inside:
        there = [name for name in FILES if os.path.lexists(path / name)]
        for other in there[1:]:
            problems.add(Place(f"{FOLDER}/{path.name}/{other}"), f"beside {there[0]}; keep one of them")
        if there:
            yield f"{FOLDER}/{path.name}/{there[0]}"


def _is_secret(keys: Keys) -> bool:
    return len(keys) > 1 and keys[-1] in SECRET_KEYS


def _is_alone(
    pipeline: Pipeline, document: Document, others: Sequence[Pipeline], tables: Sequence[Table], problems: Problems
) -> bool:
    """Whether no other has its name; problems are added for that, and for a table that it would write."""
    names = {each.name.casefold(): f"table {each.name}" for each in tables}
    names |= {each.name.casefold(): f"the pipeline of {each.file}" for each in others}
    if twin := names.get(pipeline.name.casefold()):
        where = document.place(("pipeline_metadata", "pipeline_name"))
        problems.add(where, f"also the name of {twin}; case makes no difference")
    owners = {_of(each.write): each.name for each in tables}
    for section, write in (("stage_system", pipeline.stage), ("target_system", pipeline.write)):
        if write is not None and (owner := owners.get(_of(write))):
            problems.add(
                document.place((section, "table")), f"is the target of table {owner}, which would be overwritten"
            )
    return twin is None


def _of(write: Write) -> tuple[str, object]:
    return write.connection, write.relation
