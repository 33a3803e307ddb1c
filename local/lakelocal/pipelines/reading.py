"""Finds the tables that a Spark Connect plan reads, by name or in SQL text, and replaces some of them by plans.

A text cannot contain a plan: the plan is sent beside it with a name, like the frames of `spark.sql("... {frame}")`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import uuid4

import pyspark.sql.connect.proto as proto
from google.protobuf.message import Message

from lakelocal.dialect.names import split_name
from lakelocal.dialect.scan import TABLE, Scanner
from lakelocal.dialect.walk import walk
from lakelocal.sql.nesting import closing
from lakelocal.sql.tokens import Token, tokenize
from lakelocal.sql.writing import Edit, apply, quoted

# Words that may occur in the position of a table's name.
_NO_NAMES = frozenset(
    {
        "SELECT",
        "WITH",
        "VALUES",
        "TABLE",
        "LATERAL",
        "STREAM",
        "ONLY",
        "FROM",
        "UNNEST",
        "JSON_TABLE",
        "RANGE",
        "INLINE",
    }
)


@dataclass(frozen=True)
class Read:
    """A table that is read, with the *parts* of its name as they are written."""

    parts: tuple[str, ...]
    streaming: bool


@dataclass(frozen=True)
class Place:
    """A read in SQL text, including STREAM, from *start* to *end*; *aliased*: it is followed by an alias."""

    read: Read
    start: int
    end: int
    aliased: bool


@dataclass(frozen=True)
class Renamed:
    """Another name for a table, in three parts or fewer."""

    name: str


Replacement: TypeAlias = "proto.Relation | Renamed | None"  # None: the read stays as it is
Find = Callable[[Read], Replacement]


def tables_in(sql: str) -> list[Place]:
    """The tables that the query *sql* reads, in order, without the names that its WITH defines."""
    tokens = tokenize(sql) or ()
    own = _own_names(tokens)
    found = [
        place for place in _places(tokens) if not (len(place.read.parts) == 1 and place.read.parts[0].lower() in own)
    ]
    return sorted(found, key=lambda place: place.start)


def _own_names(tokens: Sequence[Token]) -> set[str]:
    """The names that WITH gives to queries: `name AS (` or `name (columns) AS (`."""
    if not any(token.word == "WITH" for token in tokens):
        return set()
    found = set()
    for index, token in enumerate(tokens[:-2]):
        if not token.is_name or not index or tokens[index - 1].word not in ("WITH", ",", "RECURSIVE"):
            continue
        after = index + 1
        if tokens[after].word == "(":
            after = (closing(tokens, after) or len(tokens) - 1) + 1
        if [each.word for each in tokens[after : after + 2]] == ["AS", "("]:
            found.add(token.text.lower())
    return found


def _places(tokens: tuple[Token, ...]) -> Iterator[Place]:
    bracketed = set()
    for index, token in enumerate(tokens):
        if token.word == "STREAM" and index + 2 < len(tokens) and tokens[index + 1].word == "(":
            parts, last = _chain(tokens, index + 2)
            if parts and last + 1 < len(tokens) and tokens[last + 1].word == ")":
                bracketed.add(index + 2)
                yield Place(Read(parts, True), token.start, tokens[last + 1].end, _aliased(tokens, last + 2))
    in_using = _inside_using(tokens)
    for name in Scanner(tokens, bare=True).names():
        if name.place != TABLE or name.called or name.first in bracketed or name.first in in_using:
            continue
        if len(name.parts) == 1 and tokens[name.first].word in _NO_NAMES:
            continue
        streaming = name.first > 0 and tokens[name.first - 1].word == "STREAM"
        start = tokens[name.first - 1].start if streaming else tokens[name.first].start
        yield Place(Read(name.parts, streaming), start, tokens[name.last].end, _aliased(tokens, name.last + 1))


def _chain(tokens: Sequence[Token], first: int) -> tuple[tuple[str, ...], int]:
    """The parts of the dotted name that begins at token *first*, and the index of its last token."""
    parts, at = [], first
    while at < len(tokens) and tokens[at].is_name:
        parts.append(tokens[at].text)
        if at + 1 >= len(tokens) or tokens[at + 1].text != ".":
            return tuple(parts), at
        at += 2
    return (), first


def _inside_using(tokens: Sequence[Token]) -> set[int]:
    """The tokens inside `USING (...)`, which are columns."""
    found: set[int] = set()
    for index, token in enumerate(tokens[:-1]):
        if token.word == "USING" and tokens[index + 1].word == "(":
            found.update(range(index + 1, closing(tokens, index + 1) or len(tokens) - 1))
    return found


_BEHIND = frozenset(
    {"WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "JOIN", "LEFT", "RIGHT", "FULL", "INNER", "CROSS", "ANTI", "SEMI"}
    | {"NATURAL", "ON", "USING", "UNION", "INTERSECT", "EXCEPT", "MINUS", "WINDOW", "QUALIFY", "LATERAL", "PIVOT"}
    | {"UNPIVOT", "TABLESAMPLE", "VERSION", "TIMESTAMP", "FOR", "SELECT", "SORT", "DISTRIBUTE", "CLUSTER", "OFFSET"}
    | {"WATERMARK", "WITH"}
)


def _aliased(tokens: Sequence[Token], at: int) -> bool:
    """Is there an alias at token *at*?"""
    if at >= len(tokens):
        return False
    token = tokens[at]
    return token.word == "AS" or (token.is_name and token.word not in _BEHIND)


def reads_of(message: Message) -> list[Read]:
    """The tables that *message*, a plan or a request, reads."""
    found: list[Read] = []

    def named(table: proto.Read) -> None:
        if table.HasField("named_table"):
            parts = split_name(table.named_table.unparsed_identifier)
            if parts:
                found.append(Read(tuple(parts), table.is_streaming))

    given = _given(message)

    def text(message: Any) -> None:
        query = message.query if isinstance(message, proto.SQL) else message.sql
        found.extend(place.read for place in tables_in(query) if place.read.parts not in given)

    walk(message, {"spark.connect.Read": named, "spark.connect.SQL": text, "spark.connect.SqlCommand": text})
    return found


def _given(message: Message) -> set[tuple[str, ...]]:
    """The names of the frames that go along with texts in *message*: they are no tables."""
    found: set[tuple[str, ...]] = set()

    def references(each: proto.WithRelations) -> None:
        found.update((reference.subquery_alias.alias,) for reference in each.references)

    walk(message, {"spark.connect.WithRelations": references})
    return found


def is_streaming(message: Message) -> bool:
    """Does the plan *message* itself show that it reads a stream?"""
    found: list[bool] = []

    def read(each: proto.Read) -> None:
        found.append(each.is_streaming)

    def text(each: proto.SQL) -> None:
        tokens = tokenize(each.query) or ()
        for index, token in enumerate(tokens[:-1]):
            after = tokens[index + 1]
            found.append(token.word == "STREAM" and (after.is_name or after.word == "("))

    walk(message, {"spark.connect.Read": read, "spark.connect.SQL": text})
    return any(found)


def pivots_without_values(message: Message) -> bool:
    """Does the plan *message* make columns of the values that it finds in its rows?"""
    found: list[bool] = []

    def aggregate(each: proto.Aggregate) -> None:
        found.append(each.HasField("pivot") and not each.pivot.values)

    walk(message, {"spark.connect.Aggregate": aggregate})
    return any(found)


def replace_reads(message: Message, find: Find) -> None:
    """Replace each table that *message* reads by what *find* returns, in place."""
    given = _given(message)

    def relation(each: proto.Relation) -> None:
        if each.HasField("read") and each.read.HasField("named_table"):
            _replace_named(each, find)
        elif each.HasField("sql"):
            _replace_in_text(each, lambda read: None if read.parts in given else find(read))
        elif each.HasField("with_relations") and each.with_relations.root.HasField("with_relations"):
            _merge(each)

    walk(message, {"spark.connect.Relation": relation})


def _replace_named(relation: proto.Relation, find: Find) -> None:
    table = relation.read.named_table
    parts = split_name(table.unparsed_identifier)
    replacement = find(Read(tuple(parts), relation.read.is_streaming)) if parts else None
    if isinstance(replacement, Renamed):
        table.unparsed_identifier = replacement.name
    elif replacement is not None and parts:
        named = proto.Relation(subquery_alias=proto.SubqueryAlias(input=replacement, alias=parts[-1]))
        named.common.CopyFrom(relation.common)
        relation.CopyFrom(named)


def _replace_in_text(relation: proto.Relation, find: Find) -> None:
    query = relation.sql.query
    edits: list[Edit] = []
    references: dict[str, proto.Relation] = {}
    for place in tables_in(query):
        replacement = find(place.read)
        if isinstance(replacement, Renamed):
            stream = "STREAM " if place.read.streaming else ""
            edits.append(Edit(place.start, place.end, stream + replacement.name + _alias(place)))
        elif replacement is not None:
            name = f"pipeline_{uuid4().hex[:12]}"
            references[name] = replacement
            edits.append(Edit(place.start, place.end, name + _alias(place)))
    if not edits:
        return
    relation.sql.query = apply(query, edits)
    if references:
        text = proto.Relation()
        text.CopyFrom(relation)
        text.ClearField("common")
        named = [
            proto.Relation(subquery_alias=proto.SubqueryAlias(input=input, alias=alias))
            for alias, input in references.items()
        ]
        relation.with_relations.CopyFrom(proto.WithRelations(root=text, references=named))


def _alias(place: Place) -> str:
    """An alias that allows the columns of the table to be named as before."""
    return "" if place.aliased else f" AS {quoted(place.read.parts[-1])}"


def _merge(relation: proto.Relation) -> None:
    """Merge the relations beside a text with those that its replaced text needs into one list."""
    given = relation.with_relations
    inner = given.root.with_relations
    merged = proto.WithRelations(root=inner.root, references=[*given.references, *inner.references])
    relation.with_relations.CopyFrom(merged)
