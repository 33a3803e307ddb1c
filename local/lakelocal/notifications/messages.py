"""The messages that an occasion causes in all channels, according to all switches."""

from dataclasses import dataclass

from lakelocal.lakeflow.model import Bundle, Job, Task
from lakelocal.notifications.channels import CHANNELS, Channel, Message
from lakelocal.notifications.occasion import Occasion
from lakelocal.notifications.rules import is_told, listed


@dataclass(frozen=True)
class Destination:
    """Where one message goes: by e-mail to all addresses at once, or to one webhook by its id."""

    channel: Channel
    to: tuple[str, ...]


def destinations(what: Occasion) -> list[Destination]:
    """The destinations of *what*: channel by channel, in the order of the settings."""
    if not is_told(what):
        return []
    return [
        Destination(channel, to) for channel in CHANNELS for to in channel.recipients(what, listed(what, channel.field))
    ]


def messages(what: Occasion) -> list[Message]:
    """The messages that *what* causes; none if nobody is to be notified."""
    return [each.channel.message(what, each.to) for each in destinations(what)]


def are_asked_for(bundle: Bundle) -> bool:
    """Does any job or task of *bundle* list a recipient for any event?"""
    jobs = bundle.jobs.values()
    owners: list[Job | Task] = [*jobs, *(task for job in jobs for task in job.every_task())]
    return any(
        isinstance(names, list) and names
        for owner in owners
        for channel in CHANNELS
        for names in (owner.settings.get(channel.field) or {}).values()
    )
