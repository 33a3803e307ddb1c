"""The outbox: every message as one file in the state folder, `<state>/outbox/<id>.eml` or `<id>.json`.

An id is the UTC time to the microsecond and the process that wrote it (`20260102T030405678901Z-4711`): names sort by
time, and no two messages share an id. Files are replaced as a whole, so a reader never sees half of one.

| file    | what it contains                                                                    |
| ------- | ----------------------------------------------------------------------------------- |
| `.eml`  | the e-mail as it is sent (text and HTML), and the header `X-Delivery`               |
| `.json` | `event_type`, `to` (the webhook's id), `subject`, `delivery` and the `payload` sent |

A delivery is `kept` (nothing is configured that would send the message), `undelivered: <why>` or `delivered`.
"""

import json
import os
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from lakelocal.errors import ProjectError, UsageError
from lakelocal.history.reading import LATEST
from lakelocal.notifications.channels import Message
from lakelocal.notifications.channels.channel import NOBODY
from lakelocal.program import PROGRAM

KEPT = "kept"
DELIVERED = "delivered"
_NAME = re.compile(r"(\d{8}T\d{12}Z)-\d+\.(eml|json)")
_TIME = "%Y%m%dT%H%M%S%fZ"


def undelivered(why: str) -> str:
    """The delivery of a message that did not arrive, or has not arrived yet."""
    return f"undelivered: {' '.join(why.split())}"


@dataclass(frozen=True)
class Entry:
    """One message in the outbox; *time* is in UTC, *body* is what a person reads: the text, or the payload."""

    id: str
    time: datetime
    event_type: str
    to: tuple[str, ...]
    subject: str
    delivery: str
    file: Path
    body: str

    @property
    def shape(self) -> dict[str, Any]:
        """The message as `outbox --json` lists it; the time is in ISO 8601, UTC."""
        return {
            "id": self.id,
            "time": self.time.isoformat().replace("+00:00", "Z"),
            "event_type": self.event_type,
            "to": list(self.to),
            "subject": self.subject,
            "delivery": self.delivery,
            "file": str(self.file),
        }


class Outbox:
    """The messages in *folder*, which is created with the first one. *sender* is the sender of e-mails."""

    def __init__(self, folder: Path, sender: str = NOBODY) -> None:
        self.folder = folder
        self.sender = sender

    def put(self, message: Message, delivery: str) -> str:
        """Store *message* and return its id.

        Raises:
            ProjectError: the folder cannot be written.
        """
        id_ = f"{_clock.next():{_TIME}}-{os.getpid()}"
        self.write(id_, message, delivery)
        return id_

    def write(self, id_: str, message: Message, delivery: str) -> None:
        """Write the message *id_* with the status of its *delivery*, replacing what was written before."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            file = self.folder / f"{id_}.{message.suffix}"
            half = self.folder / f".{file.name}"
            half.write_bytes(message.content(id_, time_of(id_), delivery, self.sender))
            half.replace(file)
        except OSError as error:
            raise ProjectError(f"`{self.folder}`: cannot be written ({error.strerror}). Free the place.") from error

    def entries(self, limit: int | None = None) -> list[Entry]:
        """The newest *limit* messages, newest first; all of them without a limit.

        Raises:
            ProjectError: a file is not a message.
        """
        return [_read(file) for file in sorted(self._files(), reverse=True)[:limit]]

    def count_since(self, moment: datetime) -> int:
        """The number of messages from *moment* on, by their names; none is read."""
        return sum(time_of(file.stem) >= moment for file in self._files())

    def entry(self, id_: str) -> Entry:
        """The message whose id is *id_*, or begins with it; or the newest one, named `latest`.

        Raises:
            UsageError: there is no such message, or more than one.
        """
        files = sorted(self._files())
        found = files[-1:] if id_ == LATEST else [file for file in files if file.name.startswith(id_)]
        if len(found) != 1:
            raise UsageError(
                f"`{self.folder}`: found {len(found) or 'no'} messages whose id begins with `{id_}`; expected one. "
                f"See the ids with `{PROGRAM} outbox`, or name the newest one `{LATEST}`."
            )
        return _read(found[0])

    def _files(self) -> list[Path]:
        return [file for file in self.folder.glob("*") if _NAME.fullmatch(file.name)]


class _Clock:
    """Yields increasing times, each only once in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = datetime.min.replace(tzinfo=UTC)

    def next(self) -> datetime:
        with self._lock:
            self._last = max(datetime.now(UTC), self._last + timedelta(microseconds=1))
            return self._last


_clock = _Clock()


def _read(file: Path) -> Entry:
    read = _read_email if file.suffix == ".eml" else _read_call
    try:
        return read(file, file.read_bytes())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ProjectError(f"`{file}`: found no message ({error}); expected what a run wrote. Remove it.") from error


def _read_email(file: Path, content: bytes) -> Entry:
    found = message_from_bytes(content, policy=policy.default)
    text = found.get_body(("plain",))
    return _entry(
        file,
        {
            "event_type": found["X-Event-Type"],
            "to": found["X-Recipients"].split(", "),
            "subject": found["Subject"],
            "delivery": found["X-Delivery"],
        },
        text.get_content() if text else "",
    )


def _read_call(file: Path, content: bytes) -> Entry:
    found = json.loads(content)
    return _entry(file, {**found, "to": [found["to"]]}, json.dumps(found["payload"], indent=1, ensure_ascii=False))


def _entry(file: Path, fields: Mapping[str, Any], body: str) -> Entry:
    return Entry(
        id=file.stem,
        time=time_of(file.stem),
        event_type=str(fields["event_type"]),
        to=tuple(fields["to"]),
        subject=str(fields["subject"]),
        delivery=str(fields["delivery"]),
        file=file,
        body=body,
    )


def time_of(id_: str) -> datetime:
    """The time in an id, in UTC."""
    return datetime.strptime(id_.split("-")[0], _TIME).replace(tzinfo=UTC)
