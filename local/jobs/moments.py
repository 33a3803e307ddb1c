"""The parts of a time that references name: `{{job.start_time.iso_date}}`, `{{backfill.year}}`, ..."""

from collections.abc import Callable, Mapping
from datetime import datetime

TIME_PARTS: Mapping[str, Callable[[datetime], str]] = {
    "iso_weekday": lambda t: str(t.isoweekday()),
    "is_weekday": lambda t: str(t.isoweekday() <= 5).lower(),
    "iso_date": lambda t: t.date().isoformat(),
    "iso_datetime": lambda t: t.replace(microsecond=0, tzinfo=None).isoformat(),
    "year": lambda t: str(t.year),
    "month": lambda t: str(t.month),
    "day": lambda t: str(t.day),
    "hour": lambda t: str(t.hour),
    "minute": lambda t: str(t.minute),
    "second": lambda t: str(t.second),
    "timestamp_ms": lambda t: str(int(t.timestamp() * 1000)),
}
