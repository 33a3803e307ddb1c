"""Delivery in the background: runs continue while messages are sent, and wait for them only at their end."""

import queue
import threading
from collections.abc import Callable
from typing import Any

from lakelocal.errors import ProjectError
from lakelocal.notifications.channels import Message, NotDelivered
from lakelocal.notifications.outbox import DELIVERED, KEPT, Outbox, time_of, undelivered
from lakelocal.notifications.settings import Delivery
from lakelocal.program import PROGRAM

NOT_YET = undelivered("not sent before the end of the run")


class Dispatcher:
    """Puts messages into *outbox* and sends those whose channel is configured, one after the other, in one thread.

    A message that is not delivered stays in the outbox, marked with the reason; *say* is called once per destination.
    """

    def __init__(self, outbox: Outbox, settings: Delivery, say: Callable[[str], None]) -> None:
        self.outbox = outbox
        self.settings = settings
        self.say = say
        self._waiting: queue.Queue[tuple[str, Message] | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._said: set[str | None] = set()

    def submit(self, message: Message) -> None:
        """Keep *message* in the outbox, and send it soon.

        Raises:
            ProjectError: the outbox cannot be written.
        """
        if self._way(message) is None:
            self.outbox.put(message, KEPT)
            return
        self._waiting.put((self.outbox.put(message, NOT_YET), message))
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="notifications", daemon=True)
                self._thread.start()

    def drain(self, seconds: float) -> None:
        """Wait until everything is sent, at most *seconds*; report how many messages are not."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is None:
            return
        self._waiting.put(None)
        thread.join(seconds)
        if thread.is_alive():
            # The queue contains the other messages and the signal to end; one more message is being sent.
            self.say(f"warning: notifications: {self._waiting.qsize()} not sent in {seconds:g} s; {self._where()}")

    def _work(self) -> None:
        while (work := self._waiting.get()) is not None:
            id_, message = work
            try:
                message.send(id_, time_of(id_), self._part(message), self.settings.timeout_seconds)
                delivery = DELIVERED
            except Exception as error:  # a bug must not end the thread: other messages are waiting
                why = str(error) if isinstance(error, NotDelivered) else f"{type(error).__name__}: {error}"
                self._say_once(message, why)
                delivery = undelivered(why)
            try:
                self.outbox.write(id_, message, delivery)
            except ProjectError as error:
                self.say(f"warning: notification {id_} ({delivery}): {error}")

    def _say_once(self, message: Message, why: str) -> None:
        way = self._way(message)
        if way not in self._said:
            self._said.add(way)
            self.say(f"warning: notification not delivered: {why}; {self._where()}")

    def _way(self, message: Message) -> str | None:
        return message.way(self._part(message))

    def _part(self, message: Message) -> Any:
        """The part of the settings that sends messages of this channel."""
        return getattr(self.settings, message.setting)

    def _where(self) -> str:
        return f"what is not sent stays in `{self.outbox.folder}`. See `{PROGRAM} outbox`."
