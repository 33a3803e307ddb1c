"""Reads a part of a statement token by token, and reports where it is not as expected."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lakelocal.errors import DialectError
from lakelocal.sql.nesting import closing, opens, type_arguments
from lakelocal.sql.tokens import STRING, Token


@dataclass
class Reader:
    """Reads the tokens from *at* up to, but not including, *end*; errors begin with *where*."""

    sql: str
    tokens: Sequence[Token]
    at: int
    end: int
    where: str

    @property
    def at_end(self) -> bool:
        return self.at >= self.end

    @property
    def word(self) -> str:
        """The next word in upper case, or the next symbol; empty for a quoted name, a string, or at the end."""
        return self.peek(0)

    def peek(self, ahead: int) -> str:
        return self.tokens[self.at + ahead].word if self.at + ahead < self.end else ""

    def next_is(self, *words: str) -> bool:
        return self.word in words

    def take(self, phrase: str) -> bool:
        """Go past *phrase*, words separated by spaces, if it comes next; returns whether it did."""
        words = phrase.split()
        found = [self.peek(ahead) for ahead in range(len(words))] == words
        self.at += len(words) if found else 0
        return found

    def name(self) -> str:
        """The next name."""
        if self.at_end or not self.tokens[self.at].is_name:
            raise self.error("expected a name")
        self.at += 1
        return self.tokens[self.at - 1].text

    def names(self) -> list[str]:
        """The parts of a dotted name."""
        parts = [self.name()]
        while self.take("."):
            parts.append(self.name())
        return parts

    def string(self) -> str:
        """The next string as it is written; adjacent strings form one string."""
        start = self.at
        while not self.at_end and self.tokens[self.at].kind == STRING:
            self.at += 1
        if self.at == start:
            raise self.error("expected a string")
        return self.sql[self.tokens[start].start : self.tokens[self.at - 1].end]

    def number(self) -> int:
        """An integer, with or without a sign."""
        sign = -1 if self.take("-") else 1
        self.take("+")
        if not self.word.isdecimal():
            raise self.error("expected a number")
        self.at += 1
        return sign * int(self.tokens[self.at - 1].text)

    def parenthesized(self) -> str:
        """The text between parentheses, as it is written."""
        end = closing(self.tokens, self.at) if self.word == "(" else None
        if end is None or end >= self.end:
            raise self.error("expected an expression in parentheses")
        inner = self.sql[self.tokens[self.at].end : self.tokens[end].start].strip()
        self.at = end + 1
        return inner

    def until(self, words: Collection[str], *, first: bool = False) -> str:
        """The text before the next of *words* outside of brackets; if *first* is set, it has at least one token."""
        start, typed = self.at, type_arguments(self.tokens[: self.end])
        while not self.at_end and (self.at in typed or self.word not in words or (first and self.at == start)):
            token = self.tokens[self.at]
            self.at = (closing(self.tokens, self.at) or self.at) + 1 if opens(token) else self.at + 1
        return self.sql[self.tokens[start].start : self.tokens[self.at - 1].end] if self.at > start else ""

    def error(self, problem: str) -> DialectError:
        """An error that names the current token and *problem*."""
        found = f"`{self.tokens[self.at].text}`" if not self.at_end else "the end"
        return DialectError(f"{self.where}: found {found}; {problem}.")
