"""The channels through which people are notified: one module and one entry of `CHANNELS` each.

A message stays in the outbox if nothing is configured that would send it, so every channel works without settings.
"""

from lakelocal.notifications.channels.channel import Channel, Message, NotDelivered
from lakelocal.notifications.channels.email import EMAIL
from lakelocal.notifications.channels.webhook import WEBHOOK

CHANNELS: tuple[Channel, ...] = (
    EMAIL,
    WEBHOOK,
)

__all__ = ["CHANNELS", "Channel", "Message", "NotDelivered"]
