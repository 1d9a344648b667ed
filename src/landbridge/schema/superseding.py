"""How the rows of a window meet those of their keys that other windows brought: statements that every database takes.

What they do is docs/pipelines.md, "Keys". In them `t` is a row of the target, `l` one that landed.
"""

from dataclasses import dataclass

from landbridge.schema.merging import Merging
from landbridge.schema.names import qualify, quote


@dataclass(frozen=True)
class Superseding:
    """One load's statements. `tag` is the target's column that says which load brought a row, in quotes; `load_id` a
    literal.
    """

    merging: Merging
    tag: str
    load_id: str

    def landed(self) -> str:
        """How many rows are to be inserted by now."""
        return f"SELECT count(*) FROM {qualify(self.merging.landing)}"

    def leave_out(self) -> str:
        """Deletes the landed rows of whose key another load has brought a newer one."""
        return (
            f"DELETE FROM {qualify(self.merging.landing)} AS l USING {qualify(self.merging.target)} AS t "
            f"WHERE {self._others} AND {self._newer}"
        )

    def take_over(self) -> str:
        """Deletes what other loads have brought of the keys that landed."""
        return (
            f"DELETE FROM {qualify(self.merging.target)} AS t USING {qualify(self.merging.landing)} AS l "
            f"WHERE {self._others}"
        )

    def not_taken_over(self) -> str:
        """How many of these rows are still there."""
        return (
            f"SELECT count(*) FROM {qualify(self.merging.target)} AS t, {qualify(self.merging.landing)} AS l "
            f"WHERE {self._others}"
        )

    @property
    def _others(self) -> str:
        return f"{self.merging.same} AND t.{self.tag} IS DISTINCT FROM {self.load_id}"

    @property
    def _newer(self) -> str:
        """A row without a value is older than any; of two that are equally new the landed one stays."""
        if self.merging.newest_by is None:
            return "FALSE"
        order = self.merging.pairing(self.merging.newest_by)
        there, lands = f"t.{quote(order.target.name)}", self.merging.value(order, "l")
        return f"({there} > {lands} OR ({lands} IS NULL AND {there} IS NOT NULL))"
