"""The interface of a channel and of its messages."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from lakelocal.notifications.occasion import Occasion

NOBODY = "noreply@localhost"  # the sender of e-mails if the settings name none


class NotDelivered(Exception):
    """Raised when a message was not delivered; the text says where and why, without passwords or the paths of URLs."""


class Settings(BaseModel):
    """A part of `.local/notifications.yml`; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class Message(ABC):
    """One message to all of *to*. *setting* is the part of the settings that configures its channel."""

    event_type: str
    to: tuple[str, ...]
    subject: str

    setting: ClassVar[str]
    suffix: ClassVar[str] = "json"  # the suffix of its file in the outbox

    @property
    @abstractmethod
    def body(self) -> dict[str, Any]:
        """The contents of the message, for a program."""

    def content(self, id_: str, at: datetime, delivery: str, sender: str) -> bytes:
        """The contents of its file in the outbox."""
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
        """What would deliver it, according to *part* of the settings; None if nothing is configured."""

    @abstractmethod
    def send(self, id_: str, at: datetime, part: Any, timeout: float) -> None:
        """Send it as its *part* of the settings says, without retries; *timeout*, in seconds, applies to each answer.

        Raises:
            NotDelivered: it was not delivered, or not to everyone.
        """


@dataclass(frozen=True)
class Channel:
    """One way in which people are notified.

    *field* is the block of a job or a task that lists the recipients. *setting* is its part of
    `.local/notifications.yml`, of the type *part*; *default* creates the value that applies without it. *recipients*
    groups those who are listed by message, *message* creates the message to one group.
    """

    name: str
    field: str
    setting: str
    part: Any
    default: Callable[[], Any]
    recipients: Callable[[Occasion, tuple[str, ...]], list[tuple[str, ...]]]
    message: Callable[[Occasion, tuple[str, ...]], Message]
