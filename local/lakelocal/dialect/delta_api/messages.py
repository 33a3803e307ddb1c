"""Opening what Delta's client has packed into a message of Spark."""

from typing import Any

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.any_pb2 import Any as Packed

RELATION, COMMAND = "delta.connect.DeltaRelation", "delta.connect.DeltaCommand"


def opened(packed: Packed, kind: str) -> tuple[str, Any] | None:
    """The name and the content of the one thing that *packed*, a message of *kind*, says; None for another message.

    Its client has made Python's protobuf know the message, wherever the client is from: delta-spark, or
    databricks-connect, which brings its own.
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
