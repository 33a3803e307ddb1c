"""What there is to a channel, and to a message of one."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from lakelocal.notifications.occasion import Occasion

NOBODY = "noreply@localhost"  # the sender of an e-mail that no settings name


class NotDelivered(Exception):
    """Raised when a message did not arrive; the text says where and why, without passwords and URLs' paths."""


class Settings(BaseModel):
    """A part of `.local/notifications.yml`: without fields that nobody knows."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class Message(ABC):
    """One message to all of *to*. *setting* is the part of the settings that sends those of its channel."""

    event_type: str
    to: tuple[str, ...]
    subject: str

    setting: ClassVar[str]
    suffix: ClassVar[str] = "json"  # of its file in the outbox

    @property
    @abstractmethod
    def body(self) -> dict[str, Any]:
        """What it says, for a program to read."""

    def content(self, id_: str, at: datetime, delivery: str, sender: str) -> bytes:
        """Its file in the outbox."""
        fields = {
            "event_type": self.event_type,
            "to": self.to[0],
            "subject": self.subject,
            "delivery": delivery,
            "payload": self.body,
        }
        return f"{json.dumps(fields, indent=1, ensure_ascii=False)}\n".encode()

    @abstractmethod
    def way(self, part: Any) -> str | None:
        """What would carry it, by its *part* of the settings; None where nothing is configured."""

    @abstractmethod
    def send(self, id_: str, at: datetime, part: Any, timeout: float) -> None:
        """Send it by its *part* of the settings; *timeout* in seconds counts for each answer. Nothing is tried twice.

        Raises:
            NotDelivered: it did not arrive, or not everywhere.
        """


@dataclass(frozen=True)
class Channel:
    """One way in which people are told.

    *field* is the block of a job or a task that lists whom. *setting* is its part of `.local/notifications.yml`, of the
    type *part*; *default* makes what holds without it. *recipients* divides those who are listed by message, *message*
    makes the message to some of them.
    """

    name: str
    field: str
    setting: str
    part: Any
    default: Callable[[], Any]
    recipients: Callable[[Occasion, tuple[str, ...]], list[tuple[str, ...]]]
    message: Callable[[Occasion, tuple[str, ...]], Message]
