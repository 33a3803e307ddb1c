"""The change feeds of Olist and the tables made from them: the arguments of `apply_changes`, defined once.

Each entity that has a change feed gets a table of its current rows (SCD type 1) and a table of its history (SCD type
2), from the same events. Keys and columns are those of the contract of the current rows. The columns of the event
itself are not stored: a change of only `change_timestamp` would open a version that shows nothing. The same arguments
go to `create_auto_cdc_flow` in the declarative pipeline.
"""

from dataclasses import dataclass

from lakehouse.tables.contracts import Contract, feed_entities, load_contract

SCD_TYPES = {"current": 1, "history": 2}
_EVENT = {"sequence_by": "sequence_number", "apply_as_deletes": "operation = 'DELETE'"}


@dataclass(frozen=True)
class EntityFlow:
    """The change feed of one entity: its staged events, and the two tables made from them."""

    entity: str

    @property
    def staged(self) -> Contract:
        """The contract of the staged events."""
        return load_contract(f"stg_cdc_{self.entity}")

    @property
    def source(self) -> str:
        return self.staged.table

    @property
    def current(self) -> str:
        return self.contract("current").table

    @property
    def history(self) -> str:
        return self.contract("history").table

    @property
    def targets(self) -> dict[str, str]:
        """The two tables by kind, `current` and `history`."""
        return {"current": self.current, "history": self.history}

    @property
    def keys(self) -> list[str]:
        return list(self.contract("current").keys)

    @property
    def arguments(self) -> dict[str, object]:
        """The arguments that the calls of `apply_changes` for both tables have in common, except the source."""
        return {"keys": self.keys, **_EVENT, "column_list": self.contract("current").column_names}

    @property
    def calls(self) -> dict[str, dict[str, object]]:
        """By target, the other arguments of its `apply_changes`."""
        return {
            table: {"source": self.source, "stored_as_scd_type": SCD_TYPES[kind], **self.arguments}
            for kind, table in self.targets.items()
        }

    def contract(self, kind: str) -> Contract:
        """The contract of the table of *kind*."""
        return load_contract(f"silver_{self.entity}_{kind}")


def entity_flows() -> dict[str, EntityFlow]:
    """The flows of all entities that have a change feed, by entity."""
    return {entity: EntityFlow(entity) for entity in feed_entities()}
