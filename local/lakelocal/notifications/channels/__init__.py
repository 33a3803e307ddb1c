"""The ways in which people are told: a file for each, and a line of `CHANNELS`.

A message stays in the outbox where nothing is configured that would send it, so every channel works without settings.
"""

from lakelocal.notifications.channels.channel import Channel, Message, NotDelivered
from lakelocal.notifications.channels.email import EMAIL
from lakelocal.notifications.channels.webhook import WEBHOOK

CHANNELS: tuple[Channel, ...] = (
    EMAIL,
    WEBHOOK,
)

__all__ = ["CHANNELS", "Channel", "Message", "NotDelivered"]
