"""How much changes a day, and how much of it goes wrong."""

from dataclasses import asdict, dataclass, fields

from lakehouse.errors import ParameterError


@dataclass(frozen=True)
class FeedRates:
    """The rates of one day of the change feed, each a fraction; one above zero gives at least one where it can.

    Attributes:
        cdc_change_rate: of the living keys: they are changed, deleted, or deleted and inserted again.
        no_op_rate: of the changed keys, as many others have an update that changes nothing.
        flip_rate: of the changed keys, as many others go from A to B and back to A.
        null_flip_rate: of the changed keys, as many others have a value that becomes NULL and comes back, or a NULL
            that becomes a value and NULL again.
        late_rate: of the day's events: they land hours to days later, in a later file.
        out_of_order_rate: of the events that are in time: they stand in the file behind later ones.
        duplicate_rate: of them: they are there again, half in the same file, half in a later one.
        tie_rate: of them: another event has the same key and sequence, and other content; half in a later file.
        unknown_delete_rate: as many deletes of keys that never were.
        null_key_rate: as many rows without key; they and the following go to quarantine.
        null_sequence_rate: as many rows without sequence.
        unknown_operation_rate: as many rows with an operation that is none, or without.
        unparsable_rate: as many rows with a value that does not parse.
    """

    cdc_change_rate: float = 0.02
    no_op_rate: float = 0.05
    flip_rate: float = 0.05
    null_flip_rate: float = 0.05
    late_rate: float = 0.02
    out_of_order_rate: float = 0.02
    duplicate_rate: float = 0.02
    tie_rate: float = 0.01
    unknown_delete_rate: float = 0.01
    null_key_rate: float = 0.01
    null_sequence_rate: float = 0.01
    unknown_operation_rate: float = 0.01
    unparsable_rate: float = 0.01

    def __post_init__(self) -> None:
        """Refuse what is no fraction."""
        for one in fields(self):
            value = getattr(self, one.name)
            if not 0 <= value <= 1:
                raise ParameterError(
                    f"Parameter `{one.name}`: found `{value}`, expected a fraction from 0 to 1. "
                    "Correct it in the job or in the parameters cell.",
                    parameter=one.name,
                    value=value,
                )

    @classmethod
    def from_text(cls, cdc_change_rate: float, defect_rates: str) -> "FeedRates":
        """The rates of a notebook's parameters: *defect_rates* as `late_rate=0.1, tie_rate=0`, others as they are here.

        Raises:
            ParameterError: it names no rate, or gives no fraction.
        """
        known = [one.name for one in fields(cls)][1:]
        given: dict[str, float] = {}
        for part in filter(None, (part.strip() for part in defect_rates.split(","))):
            name, _, value = (word.strip() for word in part.partition("="))
            try:
                given[known[known.index(name)]] = float(value)
            except ValueError:
                raise ParameterError(
                    f"Parameter `defect_rates`: found `{part}`, expected rates as `late_rate=0.1, tie_rate=0`, of "
                    f"{', '.join(known)}. Correct it in the job or in the parameters cell.",
                    parameter="defect_rates",
                    value=part,
                ) from None
        return cls(cdc_change_rate=cdc_change_rate, **given)

    def of(self, defect: str) -> float:
        """The rate of *defect*, named without `_rate`."""
        rate: float = getattr(self, f"{defect}_rate")
        return rate

    def as_dict(self) -> dict[str, float]:
        """The rates by their names."""
        return asdict(self)


def share(rate: float, count: int) -> int:
    """How many of *count* the fraction *rate* is: none for 0, else at least one, where there is one."""
    return min(count, max(1, round(rate * count))) if rate > 0 else 0
