"""Unpacks the messages that Delta's client puts into those of Spark."""

from typing import Any

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.any_pb2 import Any as Packed

RELATION, COMMAND = "delta.connect.DeltaRelation", "delta.connect.DeltaCommand"


def unpack(packed: Packed, kind: str) -> tuple[str, Any] | None:
    """The name and the content of the request in *packed*, a message of *kind*; None for any other message.

    The client has registered the type of the message with Python's protobuf, whether it is that of delta-spark or that
    of databricks-connect.
    """
    if packed.TypeName() != kind:
        return None
    pool = descriptor_pool.Default()  # type: ignore[no-untyped-call]
    descriptor = pool.FindMessageTypeByName(kind)
    message: Any = message_factory.GetMessageClass(descriptor)()
    packed.Unpack(message)
    (oneof,) = descriptor.oneofs
    name = message.WhichOneof(oneof.name)
    return (name, getattr(message, name)) if name else None
