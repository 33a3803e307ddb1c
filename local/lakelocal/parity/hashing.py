"""The SQL that turns a row into one number: equal rows get the same number on any server, whatever the column order.

A value becomes a BIGINT, or stays NULL. Several values (the columns of a row, the fields of a struct or the elements of
an array) become the hash of their list as text (`[1, null, 2]`), so NULLs count and adjacent values cannot be confused;
`xxhash64(a, b)` would skip NULLs. The pairs of a map are sorted first.

A table is then described by three numbers that do not depend on the order of its rows: the number of rows, and the sum
and the XOR of their hashes. A row that occurs twice counts twice.
"""

from collections.abc import Iterable, Mapping

from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    BooleanType,
    DataType,
    DateType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegralType,
    MapType,
    NullType,
    StringType,
    StructType,
    TimestampNTZType,
    TimestampType,
    VariantType,
)

from lakelocal.sql.writing import quoted

_HASHED_AS_THEY_ARE = (
    BinaryType,
    BooleanType,
    DateType,
    DecimalType,
    IntegralType,
    StringType,
    TimestampNTZType,
    TimestampType,
)


def row_hash(columns: Mapping[str, DataType]) -> str:
    """A SQL expression over *columns* (name to type): BIGINT, never NULL."""
    return _hash_of_all(_digest(quoted(name), columns[name]) for name in sorted(columns))


def row_text(columns: Mapping[str, DataType]) -> str:
    """A SQL expression for people: the values of *columns* as an array of strings, in order; NULL stays NULL."""
    return f"array({', '.join(_text(quoted(name), kind) for name, kind in columns.items())})"


def _digest(value: str, kind: DataType, depth: int = 0) -> str:
    """A SQL expression for *value*: BIGINT, NULL if it is NULL. *depth* keeps the variables of nested lambdas apart."""
    return f"CASE WHEN {value} IS NOT NULL THEN {_hash(value, kind, depth)} END"


def _hash(value: str, kind: DataType, depth: int) -> str:
    each = f"x{depth}"
    if isinstance(kind, StructType):
        fields = sorted(kind.fields, key=lambda field: field.name)
        return _hash_of_all(_digest(f"{value}.{quoted(field.name)}", field.dataType, depth) for field in fields)
    if isinstance(kind, ArrayType):
        return _hash_of_list(f"transform({value}, {each} -> {_digest(each, kind.elementType, depth + 1)})")
    if isinstance(kind, MapType):
        pair = [_digest(f"{each}.key", kind.keyType, depth + 1), _digest(f"{each}.value", kind.valueType, depth + 1)]
        return _hash_of_list(f"array_sort(transform(map_entries({value}), {each} -> {_hash_of_all(pair)}))")
    if isinstance(kind, (FloatType, DoubleType)):
        return f"xxhash64({value} + 0D)"  # -0.0 becomes 0.0; all NaN have one hash
    if isinstance(kind, VariantType):
        return f"xxhash64(to_json({value}), schema_of_variant({value}))"  # keys are sorted; JSON hides types
    if isinstance(kind, NullType):
        return "0L"
    return f"xxhash64({value})" if isinstance(kind, _HASHED_AS_THEY_ARE) else f"xxhash64(CAST({value} AS STRING))"


def _hash_of_all(digests: Iterable[str]) -> str:
    return _hash_of_list(f"array({', '.join(digests)})")


def _hash_of_list(digests: str) -> str:
    return f"xxhash64(CAST({digests} AS STRING))"


def _text(value: str, kind: DataType) -> str:
    if isinstance(kind, VariantType):
        return f"concat(to_json({value}), ' ', schema_of_variant({value}))"
    # a client cannot receive strings that are not UTF-8, which files may contain
    return f"hex({value})" if isinstance(kind, BinaryType) else f"make_valid_utf8(CAST({value} AS STRING))"
