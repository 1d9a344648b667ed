"""What `doctor` asks: every connection, the drive table, the keys, the places of parcels."""

from collections.abc import Iterator

from landbridge.contracts.values import Check
from landbridge.engine.world import World
from landbridge.errors import LandbridgeError
from landbridge.ledger.database import is_there
from landbridge.schema.model import Relation


def diagnose(world: World) -> Iterator[tuple[str, Check]]:
    """Pairs of what was asked and the answer. A failure is an answer: nothing is raised."""
    for name in world.project.connections:
        reads, writes = _used(world, name)
        try:
            for check in world.connector(name).check(reads, writes):
                yield name, check
        except LandbridgeError as error:
            yield name, _failed("connection", error)
    for name in sorted(_missing(world)):
        yield name, Check("connection", None, "not defined here: this side neither reads nor writes it")
    yield "drive table", _drive_table(world)
    yield "keys", _keys(world)
    yield from _opens_own(world)


def _used(world: World, connection: str) -> tuple[list[Relation], list[Relation]]:
    tables, pipelines = world.project.tables, world.project.pipelines
    read = [table.read for table in tables] + [each.read for each in pipelines if each.read]
    written = [table.write for table in tables]
    written += [write for each in pipelines for write in (each.stage, each.write) if write]
    reads = [one.relation for one in read if one.connection == connection]
    return reads, [one.relation for one in written if one.connection == connection]


def _missing(world: World) -> set[str]:
    named = {name for table in world.project.tables for name in (table.read.connection, table.write.connection)}
    return named - set(world.project.connections)


def _drive_table(world: World) -> Check:
    try:
        if not is_there(world.project.drive_table):
            return Check("opens", ok=True, detail="will be made by the first run")
        with world.ledger.read() as connection:
            now = world.ledger.now(connection)
    except LandbridgeError as error:
        return Check("opens", ok=False, detail=error.message, hint="see drive_table in landbridge.yaml")
    return Check("opens", ok=True, detail=f"its clock says {now:%Y-%m-%d %H:%M:%S} UTC")


def _keys(world: World) -> Check:
    keyring = world.keyring
    try:
        own = keyring.own_recipient, keyring.own_verifier
        recipients = keyring.trusted_recipients()
        if recipients and world.project.parcels.require_escrow:
            keyring.recipients(require_escrow=True)
        trusted = f"seals for {len(recipients)}, trusts {len(keyring.trusted_signers())} signer(s)"
    except LandbridgeError as error:
        return _failed("present", error)
    return Check("present", ok=True, detail=f"{own[0][:12]}…, {own[1].partition('+')[0]}; {trusted}")


def _opens_own(world: World) -> Iterator[tuple[str, Check]]:
    """Said only where it is so: an exporting side that can open its old parcels can be robbed of them."""
    try:
        own = world.keyring.opens_own()
    except LandbridgeError:
        return  # said by `_keys`
    for key in own:
        detail = f"this side can open what it exports: its own recipient {key.fingerprint} is among the trusted"
        yield (
            "keys",
            Check("exports", None, detail, hint=f"landbridge keys revoke {key.fingerprint}, if that is not meant"),
        )


def _failed(name: str, error: LandbridgeError) -> Check:
    return Check(name, ok=False, detail=error.message, hint=error.hint)
