"""How much changes per day, and how much of it goes wrong."""

from dataclasses import asdict, dataclass, fields

from lakehouse.errors import ParameterError


@dataclass(frozen=True)
class FeedRates:
    """The rates of one day of the change feed, each a fraction; a rate above zero yields at least one if possible.

    Attributes:
        cdc_change_rate: share of the living keys that are changed, deleted, or deleted and inserted again.
        no_op_rate: relative to the changed keys, other keys with an update that changes nothing.
        flip_rate: relative to the changed keys, other keys that go from A to B and back to A.
        null_flip_rate: relative to the changed keys, other keys with a value that becomes NULL and comes back, or a
            NULL that becomes a value and then NULL again.
        late_rate: share of the day's events that land hours to days later, in a later file.
        out_of_order_rate: share of the punctual events that are placed in the file behind later ones.
        duplicate_rate: relative to these, events that are repeated, half in the same file, half in a later one.
        tie_rate: relative to these, other events with the same key and sequence but other content; half in a later
            file.
        unknown_delete_rate: likewise, deletes of keys that never existed.
        null_key_rate: likewise, rows without a key; they and the following go to quarantine.
        null_sequence_rate: likewise, rows without a sequence.
        unknown_operation_rate: likewise, rows with an unknown operation, or without one.
        unparsable_rate: likewise, rows with a value that does not parse.
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
        """Refuse values that are not fractions."""
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
        """The rates from a notebook's parameters: *defect_rates* as `late_rate=0.1, tie_rate=0`, others by default.

        Raises:
            ParameterError: *defect_rates* names an unknown rate, or a value that is not a fraction.
        """
        known = [one.name for one in fields(cls)][1:]
        given: dict[str, float] = {}
        for part in filter(None, (part.strip() for part in defect_rates.split(","))):
            name, _, value = (word.strip() for word in part.partition("="))
            try:
                given[known[known.index(name)]] = float(value)
            except ValueError:
                raise ParameterError(
                    f"Parameter `defect_rates`: found `{part}`, expected rates such as `late_rate=0.1, tie_rate=0`, of "
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
        """The rates by name."""
        return asdict(self)


def share(rate: float, count: int) -> int:
    """The fraction *rate* of *count* as a whole number: 0 for a rate of 0, otherwise at least one, if there are any."""
    return min(count, max(1, round(rate * count))) if rate > 0 else 0
