"""Change feeds written line by line, and the three notebooks that load them."""

from datetime import UTC, datetime

from lakehouse_fixtures import HEADERS, Lakehouse

EVENT = "operation,sequence_number,change_timestamp"
FEEDS = ("customers", "products", "sellers")
KEYS = {"customers": "customer_id", "products": "product_id", "sellers": "seller_id"}
STEPS = ("50_cdc_bronze", "60_cdc_stage", "70_cdc_apply")


class Feeds(Lakehouse):
    """A catalog whose change feeds the tests write."""

    def deliver(self, entity: str, name: str, lines: str, *, modified: str = "2024-01-01T00:00:00") -> None:
        """Land a file in the feed of *entity*: one event per line, without the header."""
        text = "\n".join([f"{HEADERS[entity]},{EVENT}", *(line.strip() for line in lines.strip().splitlines())])
        self.land(f"cdc/{entity}", name, f"{text}\n".encode(), modified=modified)

    def take_in(self, *steps: str, **parameters: str) -> None:
        """Run the notebooks of the pipeline; all three if none is named."""
        for stem in steps or STEPS:
            self.run(stem, **parameters)

    def current(self, entity: str) -> list[tuple]:
        return self.table(f"silver.silver_{entity}_current")

    def history(self, entity: str) -> list[tuple]:
        return self.table(f"silver.silver_{entity}_history")

    def events(self, entity: str) -> list[tuple]:
        """The staged events, without the columns that describe the delivery."""
        return sorted(
            self.rows(f"SELECT * EXCEPT (_source_file, _file_modified_at) FROM silver.stg_cdc_{entity}"), key=repr
        )

    def quarantine(self, entity: str, *columns: str) -> list[tuple]:
        shown = ", ".join(columns) or "*"
        return sorted(self.rows(f"SELECT {shown} FROM ops.quarantine_stg_cdc_{entity}"), key=repr)

    def commits(self) -> dict[str, int]:
        """The newest version of each table of the feeds, in all layers."""
        found = {
            f"{schema}.{name}": at
            for schema in ("bronze", "silver", "ops")
            for name, at in self.versions(schema).items()
        }
        return {name: at for name, at in found.items() if not name.startswith(("ops.expectation", "ops.landed"))}


def at(text: str) -> datetime:
    """A time as Spark returns it, given in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).astimezone().replace(tzinfo=None)
