"""Goes over a protobuf message and all messages in it, inner ones first."""

from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.message import Message

Handlers = Mapping[str, Callable[[Any], None]]  # by the full name of the type that each takes

# Data, not plans: there is nothing in them to translate, and they may be large.
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
    """Call the handler of each message in *message* by its full type name, the innermost first, then outwards."""
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
