"""What a person should know of a pipeline that is valid: what it needs besides, and what has no effect."""

from collections.abc import Iterator

from landbridge.config.pipelines.sides import UNKNOWN
from landbridge.config.pipelines.systems import ELSEWHERE
from landbridge.config.pipelines.values import PARCEL, Pipeline

Lines = Iterator[str]


def notes(pipeline: Pipeline) -> Lines:
    """One line each."""
    yield from _connections(pipeline)
    yield from _scripts(pipeline)
    yield from _without_effect(pipeline)


def _connections(pipeline: Pipeline) -> Lines:
    read, stage, write = pipeline.read, pipeline.stage, pipeline.write
    sides = ((read, pipeline.source_kind), (stage, pipeline.stage_kind), (write, pipeline.target_kind))
    for name in dict.fromkeys(side.connection for side, kind in sides if side is not None and kind == UNKNOWN):
        yield f"connection {name!r} cannot be looked up: no landbridge.yaml was read that declares it"


def _scripts(pipeline: Pipeline) -> Lines:
    read, written = pipeline.phases["source_to_stage_transfer"], pipeline.phases["stage_to_target_transfer"]
    if pipeline.source_kind in ELSEWHERE and not read.user_script:
        yield f"no connector reads {pipeline.source_kind} yet: phases.source_to_stage_transfer.user_script must"
    if pipeline.stage_kind in ELSEWHERE and not (read.user_script and written.user_script):
        yield f"no connector reaches {pipeline.stage_kind} yet: user_script of both transfers must"
    if pipeline.target_kind in ELSEWHERE and not written.user_script:
        yield f"no connector writes {pipeline.target_kind} yet: phases.stage_to_target_transfer.user_script must"
    if pipeline.stage_kind == PARCEL and (read.user_script or pipeline.source_kind in ELSEWHERE):
        yield "a script stages rows in a landing table: stage_system is a parcel, which no script can write"


def _without_effect(pipeline: Pipeline) -> Lines:
    if pipeline.target_cleaning and not pipeline.phases["target_cleaning"].enabled:
        yield "phases.target_cleaning is not enabled: its sql is not run"
    if not pipeline.phases["audit"].enabled:
        yield "phases.audit is disabled: nobody compares the counts"
    if pipeline.phases["stage_to_target_transfer"].user_script and pipeline.transform:
        yield "phases.stage_to_target_transfer has a user_script: its sql is not run"
    if pipeline.phases["stage_to_target_transfer"].user_script and "merge_keys" in pipeline.document["target_system"]:
        yield "phases.stage_to_target_transfer has a user_script: target_system.merge_keys are for that to heed"
    stage = pipeline.document["stage_system"]
    if "table" in stage and "temp_table_prefix" in stage:
        yield "stage_system.table is set: temp_table_prefix is not used"
    if "type" in (pipeline.document.get("query_window") or {}):
        yield "query_window.type is a word for people: windows are what granularity says"
