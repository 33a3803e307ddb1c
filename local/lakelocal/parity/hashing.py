"""The SQL that gives a row one number: the same for equal rows on any server, in any order of columns.

A value becomes a BIGINT, or stays NULL. Several of them, the columns of a row, the fields of a struct or the elements
of an array, become the hash of their list as text (`[1, null, 2]`), so that NULL counts and values cannot flow into
one another, as they would by `xxhash64(a, b)`, which passes over NULL. The pairs of a map are sorted first.

A table is then known by three numbers, which no order of its rows changes: how many there are, the sum and the XOR of
their hashes. A row that is there twice counts twice.
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
    """An expression over *columns* (name to type): BIGINT, never NULL."""
    return _hash_of_all(_digest(quoted(name), columns[name]) for name in sorted(columns))


def row_text(columns: Mapping[str, DataType]) -> str:
    """An expression for people: the values of *columns* as an array of texts, in their order; NULL stays NULL."""
    return f"array({', '.join(_text(quoted(name), kind) for name, kind in columns.items())})"


def _digest(value: str, kind: DataType, depth: int = 0) -> str:
    """An expression for *value*: BIGINT, NULL where it is NULL. *depth* keeps the variables of lambdas apart."""
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
    # a client cannot take a text that is not UTF-8, which files may have
    return f"hex({value})" if isinstance(kind, BinaryType) else f"make_valid_utf8(CAST({value} AS STRING))"
