"""The tokens of a SQL text, each with its exact position, so that everything between them stays as written.

sqlglot's Databricks tokenizer finds strings, comments and quoted names. Its keywords are removed, so every word is just
a word: sqlglot would join some (`GROUP BY`) and swallow the rest of a statement after others (`SHOW`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any, ClassVar

WORD, QUOTED, STRING, SYMBOL = "word", "quoted", "string", "symbol"
_CLOSING = frozenset(")]}?")
_DIGITS_AND_LETTERS = re.compile(r"\w+")
_SUFFIXED_NUMBER = re.compile(r"\d+(e\d+)?([lsyfd]|bd)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Token:
    """A token. *text* is its value (quotes and escapes undone), *word* its upper-case form if it is a bare word.

    *start* and *end* are positions in the SQL text; *end* is the position after the last character.
    """

    kind: str
    text: str
    word: str
    start: int
    end: int

    @property
    def is_name(self) -> bool:
        return self.kind in (WORD, QUOTED)

    @property
    def ends_value(self) -> bool:
        """Does a value end here, so that a colon directly after it reads a field of JSON, as in `raw:owner`?"""
        return self.kind != SYMBOL or self.text in _CLOSING or self.text[:1].isdigit()


@dataclass(frozen=True, slots=True)
class Marker:
    """A marker in a SQL text, from *start* to *end*, that stands for the value of the parameter *name*."""

    name: str
    start: int
    end: int


@lru_cache(maxsize=1024)
def tokenize(sql: str) -> tuple[Token, ...] | None:
    """The tokens of *sql*; None if it is not SQL at all (an open quote), which Spark itself explains best."""
    from sqlglot.errors import TokenError

    tokenizer, kinds = _databricks()
    try:
        found = tokenizer().tokenize(sql)
    except TokenError:
        return None
    tokens: list[Token] = []
    for token in found:
        kind = kinds.get(token.token_type, SYMBOL)
        word = token.text.upper() if kind == WORD else token.text if kind == SYMBOL else ""
        tokens.append(Token(kind, token.text, word, token.start, token.end + 1))
        if kind == WORD and (name := _name_with_digits(tokens, sql)) is not None:
            tokens[-2:] = [name]
    return tuple(tokens)


def _name_with_digits(tokens: list[Token], sql: str) -> Token | None:
    """The last two of *tokens* as the one name that Spark takes them for, if the name begins with digits.

    `2024_sales` is a name, `10L` and `1e3` are numbers, as the grammar of Spark's own parser has it.
    """
    if len(tokens) < 2 or tokens[-2].end != tokens[-1].start:
        return None
    start, end = tokens[-2].start, tokens[-1].end
    text = sql[start:end]
    if not text[0].isdigit() or not _DIGITS_AND_LETTERS.fullmatch(text) or _SUFFIXED_NUMBER.fullmatch(text):
        return None
    return Token(WORD, text, text.upper(), start, end)


@cache
def _databricks() -> tuple[type, Mapping[Any, str]]:
    """A tokenizer of Databricks SQL without keywords, and the names that its token types have here.

    sqlglot is imported for the first text only: its import takes 0.2 s, and most commands read no SQL.
    """
    from sqlglot.dialects.databricks import Databricks
    from sqlglot.tokenizer_core import TokenType

    class Tokenizer(Databricks.Tokenizer):
        COMMANDS: ClassVar[set[TokenType]] = set()
        COMMAND_PREFIX_TOKENS: ClassVar[set[TokenType]] = set()
        # `$$ ... $$` around the body of a function is one string; `${name}` and `$1` are not.
        HEREDOC_STRINGS: ClassVar[list[str | tuple[str, str]]] = ["$"]
        HEREDOC_TAG_IS_IDENTIFIER = True
        HEREDOC_STRING_ALTERNATIVE = TokenType.PARAMETER
        KEYWORDS: ClassVar[dict[str, TokenType]] = {
            text: kind
            for text, kind in Databricks.Tokenizer.KEYWORDS.items()
            if not text[0].isalpha() and "{" not in text
        }

    return Tokenizer, {
        TokenType.VAR: WORD,
        TokenType.IDENTIFIER: QUOTED,
        TokenType.STRING: STRING,
        TokenType.RAW_STRING: STRING,
        TokenType.HEREDOC_STRING: STRING,
    }


def parameter_markers(tokens: Sequence[Token]) -> Iterator[Marker]:
    """The parameter markers `:name`: a colon directly followed by a name and not directly preceded by a value.

    Source: Databricks documentation, "Parameter markers".
    """
    before = None
    for token, name in pairwise(tokens):
        behind_value = before is not None and before.end == token.start and before.ends_value
        if token.word == ":" and name.start == token.end and name.is_name and not behind_value:
            yield Marker(name.text, token.start, name.end)
        before = token
