"""Visits a protobuf message and all messages in it, beginning with the innermost ones."""

from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.message import Message

Handlers = Mapping[str, Callable[[Any], None]]  # by the full name of the message type that each handles

# Messages with data instead of plans: there is nothing to translate in them, and they may be large.
_CLOSED = frozenset(
    {
        "spark.connect.LocalRelation",
        "spark.connect.CachedLocalRelation",
        "spark.connect.ChunkedCachedLocalRelation",
        "spark.connect.UserContext",
        "spark.connect.DataType",
        "google.protobuf.Any",
    }
)


def walk(message: Message, handlers: Handlers) -> None:
    """Call the handlers for *message* and for all messages in it, the innermost first."""
    name = message.DESCRIPTOR.full_name
    if name in _CLOSED:
        return
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            if field.message_type.fields_by_name["value"].message_type is not None:
                for inner in value.values():
                    walk(inner, handlers)
        elif isinstance(value, Message):
            walk(value, handlers)
        else:
            for inner in value:
                walk(inner, handlers)
    if handler := handlers.get(name):
        handler(message)
