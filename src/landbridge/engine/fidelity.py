"""Before a row is loaded: what the target cannot hold of the values, and whether the config accepts that."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from landbridge.contracts.values import Read, Write
from landbridge.errors import ConfigError, LossNotAccepted
from landbridge.schema import fidelity
from landbridge.schema.fidelity import Accepted, Holds, Loss, accepts, as_created, losses, offsets, possible
from landbridge.schema.fit import Pairing, pair
from landbridge.schema.merging import validity_of, without_history
from landbridge.schema.model import TableSchema
from landbridge.schema.names import did_you_mean
from landbridge.schema.traits import Traits
from landbridge.stage.manifest import Manifest

BECOMES: Mapping[Loss, str] = {
    "nanoseconds": "digits below the microsecond would be cut",
    "nul_bytes": "NUL characters would be removed",
    "out_of_range": "dates beyond its range would become NULL",
    "offset": "instants would be told in UTC",
}


@dataclass(frozen=True)
class Fidelity:
    """How incoming columns go into those of the target; `traits` is None where nobody has looked at the values."""

    pairings: Sequence[Pairing]
    traits: Mapping[str, Traits] | None
    holds: Holds
    accepted: Accepted

    def grade(self, pairing: Pairing) -> str:
        """See schema.fidelity.grade."""
        return fidelity.grade(pairing, self.traits, self.holds, self.accepted)

    def changed(self) -> dict[str, Sequence[Loss]]:
        """Of each column what a load that was let through has changed; where nobody has looked, what it may have."""
        found = {
            p.incoming.name: accepts(p, self.accepted) if self.traits is None else self._lost(p) for p in self.pairings
        }
        return {column: losses for column, losses in found.items() if losses}

    def accepted_losses(self) -> dict[str, list[Loss]]:
        """Of each column what is accepted and happens, or, where nobody has looked, may happen."""
        found = {pairing.incoming.name: self._accepted(pairing) for pairing in self.pairings}
        return {column: losses for column, losses in found.items() if losses}

    def refusal(self) -> LossNotAccepted | None:
        """All losses that happen and are not accepted, as one error."""
        told = [(p, loss) for p in self.pairings for loss in self._lost(p) if loss not in accepts(p, self.accepted)]
        if not told:
            return None
        return LossNotAccepted("\n".join(_line(p, loss) for p, loss in told), hint=self._hint(told))

    def _lost(self, pairing: Pairing) -> tuple[Loss, ...]:
        return losses(pairing, (self.traits or {}).get(pairing.incoming.name), self.holds)

    def _accepted(self, pairing: Pairing) -> list[Loss]:
        happens = possible(pairing, self.holds) if self.traits is None else self._lost(pairing)
        return [loss for loss in happens if loss in accepts(pairing, self.accepted)]

    def _hint(self, told: Sequence[tuple[Pairing, Loss]]) -> str:
        """The whole `accept_loss` to write, where that helps."""
        change = "change what is read (source_query)"
        new = [(p.incoming.name, loss) for p, loss in told if loss in accepts(p, {p.incoming.name: [loss]})]
        if not new:
            return change
        wanted = {column: list(named) for column, named in self.accepted.items()}
        for column, loss in new:
            wanted.setdefault(column, []).append(loss)
        items = ", ".join(f"{_quoted(column)}: [{', '.join(named)}]" for column, named in wanted.items())
        return f"{change}, or accept it in config/tables.yaml: accept_loss: {{{items}}}"


def look(
    write: Write, incoming: TableSchema, traits: Sequence[Traits] | None, existing: TableSchema | None, holds: Holds
) -> Fidelity:
    """`existing` None: a target that the load will create.

    Raises as `pair` and `folded` do, and ConfigError for a loss that is accepted of a column that does not come.
    """
    if unknown := [column for column in write.accept_loss if column not in incoming.names]:
        problems = (f"no column {column!r} arrives{did_you_mean(column, incoming.names)}" for column in unknown)
        raise ConfigError("\n".join(problems), hint="see accept_loss of the table in config/tables.yaml")
    if existing:
        existing = without_history(existing, validity_of(existing, write.merge.validity if write.merge else None))
    return Fidelity(
        pairings=pair(incoming, existing or as_created(incoming, holds)),
        traits=by_column(traits),
        holds=holds,
        accepted=write.accept_loss,
    )


def by_column(traits: Sequence[Traits] | None) -> Mapping[str, Traits] | None:
    return None if traits is None else {each.column: each for each in traits}


def refuse_losses(
    write: Write, manifest: Manifest, existing: TableSchema | None, holds: Holds
) -> dict[str, list[Loss]]:
    """The losses that are accepted, by column. Raises LossNotAccepted for all others, before anything is made.

    `existing` as in `look`.
    """
    found = look(write, manifest.schema, manifest.traits, existing, holds)
    if refusal := found.refusal():
        raise refusal
    return found.accepted_losses()


def refuse_offsets(read: Read, source: TableSchema) -> dict[str, list[Loss]]:
    """The offsets that are accepted to be lost, by column. Raises LossNotAccepted for all others."""
    lost = offsets(source, read.columns)
    if stops := [name for name in lost if "offset" not in read.accept_loss.get(name, ())]:
        items = ", ".join(f"{_quoted(name)}: [offset]" for name in stops)
        raise LossNotAccepted(
            "\n".join(
                f"column {name} would lose offset: {BECOMES['offset']}, whatever the offset was" for name in stops
            ),
            hint=f"cast it in source_query, or accept it in config/tables.yaml: accept_loss: {{{items}}}",
        )
    return {name: ["offset"] for name in lost}


def _line(pairing: Pairing, loss: Loss) -> str:
    target = pairing.target
    kind = f"{target.native or target.type}{'' if target.nullable else ' NOT NULL'}"
    return f"column {pairing.incoming.name} would lose {loss}: the target has {kind}, and {BECOMES[loss]}"


def _quoted(column: str) -> str:
    """As YAML takes it: JSON, but characters beyond 16 bits as they are."""
    return json.dumps(column, ensure_ascii=not column.isprintable())
