"""`IDENTIFIER(:name)`: the clause is filled in here, since with arguments it fails over Spark Connect."""

import pyspark.sql.connect.proto as proto

from lakelocal.dialect.names import join_name, split_name
from lakelocal.sql.tokens import STRING, Token, tokenize
from lakelocal.sql.writing import Edit, apply


def fill_identifiers(sql: str, holder: proto.SQL | proto.SqlCommand) -> str:
    """*sql* with each `IDENTIFIER(...)` of strings and named arguments, joined by `||`, replaced by the name."""
    tokens = tokenize(sql) if "identifier" in sql.lower() else None
    if not tokens:
        return sql
    arguments = _arguments(holder)
    edits = []
    for index, token in enumerate(tokens[:-1]):
        if token.word != "IDENTIFIER" or tokens[index + 1].word != "(":
            continue
        end = next((at for at in range(index + 2, len(tokens)) if tokens[at].word == ")"), None)
        if end is None:
            continue
        value = _constant(tokens[index + 2 : end], arguments)
        if value is not None and (parts := split_name(value)):
            edits.append(Edit(token.start, tokens[end].end, join_name(parts)))
    return apply(sql, edits) if edits else sql


def _arguments(holder: proto.SQL | proto.SqlCommand) -> dict[str, str]:
    found = {key: value.literal for key, value in holder.named_arguments.items()} | dict(holder.args.items())
    return {key.lower(): value.string for key, value in found.items() if value.HasField("string")}


def _constant(tokens: tuple[Token, ...], arguments: dict[str, str]) -> str | None:
    """The value of `'a' || :b || '.c'`; None where it is another expression."""
    text, index = "", 0
    while index < len(tokens):
        if tokens[index].kind == STRING:
            text += tokens[index].text
        elif tokens[index].text == ":" and index + 1 < len(tokens):
            index += 1
            value = arguments.get(tokens[index].text.lower())
            if value is None:
                return None
            text += value
        else:
            return None
        index += 1
        if index < len(tokens) and tokens[index].text != "||":
            return None
        index += 1
    return text or None
