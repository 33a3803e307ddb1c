"""The change feeds: AUTO CDC makes the current rows (SCD type 1) and the history (SCD type 2) of each entity.

A feed may be late, out of order and repeated. AUTO CDC orders events by their sequence number, and an event that comes
twice changes nothing, so events need not be deduplicated first, as 60_cdc_stage does.
"""

from pyspark import pipelines as dp

from lakehouse.layers.flows import SCD_TYPES, EntityFlow, entity_flows
from lakehouse.tables.delta import clustered_by, described_columns


def changes(flow: EntityFlow, kind: str) -> None:
    """The table of *kind*, `current` or `history`, from the valid events of the entity."""
    contract = flow.contract(kind)
    dp.create_streaming_table(
        contract.name,
        comment=contract.grain,
        schema=described_columns(contract),
        cluster_by=clustered_by(contract),
    )
    dp.create_auto_cdc_flow(
        target=contract.name,
        source=f"valid_{flow.staged.name}",
        stored_as_scd_type=SCD_TYPES[kind],
        **flow.arguments,
    )


for feed in entity_flows().values():
    for kind in SCD_TYPES:
        changes(feed, kind)
