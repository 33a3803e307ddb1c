"""Brackets among tokens: where one closes, and what is between commas outside brackets."""

from collections.abc import Iterator, Sequence

from lakelocal.sql.tokens import SYMBOL, Token

_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")


def opens(token: Token) -> bool:
    return token.kind == SYMBOL and token.text in _OPENING


def closes(token: Token) -> bool:
    return token.kind == SYMBOL and token.text in _CLOSING


def closing(tokens: Sequence[Token], at: int) -> int | None:
    """The index of the token that closes the bracket at *at*; None if it stays open."""
    depth = 0
    for index in range(at, len(tokens)):
        depth += opens(tokens[index]) - closes(tokens[index])
        if depth == 0:
            return index
    return None


def opening(tokens: Sequence[Token], at: int) -> int | None:
    """The index of the token that opens the bracket that *at* closes; None if there is none."""
    depth = 0
    for index in range(at, -1, -1):
        depth += closes(tokens[index]) - opens(tokens[index])
        if depth == 0:
            return index
    return None


def level(tokens: Sequence[Token], start: int) -> Iterator[int]:
    """The indexes from *start* that are in no bracket opened since, to the one that closes the surrounding bracket."""
    index: int | None = start
    while index is not None and index < len(tokens):
        if closes(tokens[index]):
            return
        yield index
        index = closing(tokens, index) if opens(tokens[index]) else index
        index = None if index is None else index + 1


def level_end(tokens: Sequence[Token], start: int) -> int:
    """The index of the bracket that closes the one around *start*; the number of tokens if none does."""
    last = next(iter(reversed(list(level(tokens, start)))), None)
    if last is None:
        return min(start, len(tokens))
    end = closing(tokens, last) if opens(tokens[last]) else last
    return len(tokens) if end is None else end + 1


def level_back(tokens: Sequence[Token], start: int) -> Iterator[int]:
    """The same from *start* backwards, up to the bracket that surrounds it."""
    index: int | None = start
    while index is not None and index >= 0:
        if opens(tokens[index]):
            return
        yield index
        index = opening(tokens, index) if closes(tokens[index]) else index
        index = None if index is None else index - 1


def type_arguments(tokens: Sequence[Token]) -> set[int]:
    """The indexes within the angle brackets of types: `STRUCT<name: STRING, n: INT>`."""
    within: set[int] = set()
    depth = 0
    for index, token in enumerate(tokens):
        if token.text == "<" and index and tokens[index - 1].word in ("STRUCT", "MAP", "ARRAY"):
            within |= {index} if depth else set()
            depth += 1
        elif depth and token.text in (">", ">>", ">>>"):
            depth = max(0, depth - len(token.text))
            within |= {index} if depth else set()
        elif depth:
            within.add(index)
    return within


def split(tokens: Sequence[Token], start: int, end: int) -> list[range]:
    """The parts of the tokens from *start* to *end*, exclusive, separated by commas outside their brackets."""
    parts, first = [], start
    typed = type_arguments(tokens)
    for index in level(tokens, start):
        if index >= end:
            break
        if tokens[index].kind == SYMBOL and tokens[index].text == "," and index not in typed:
            parts.append(range(first, index))
            first = index + 1
    return [*parts, range(first, end)] if end > start else []


def items(tokens: Sequence[Token], opened: int) -> list[range]:
    """The entries between the bracket at *opened* and its end; none if it is empty."""
    return split(tokens, opened + 1, level_end(tokens, opened + 1))
