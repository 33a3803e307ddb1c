"""The tokens of a SQL text, each with its exact place, so that everything between them stays as written.

sqlglot's Databricks tokenizer finds strings, comments and quoted names. Its keywords are taken away: here every
word is a word, since sqlglot would join some (`GROUP BY`) and swallow the rest of a statement after others (`SHOW`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from sqlglot.dialects.databricks import Databricks
from sqlglot.errors import TokenError
from sqlglot.tokens import TokenType

WORD, QUOTED, STRING, SYMBOL = "word", "quoted", "string", "symbol"


class _Tokenizer(Databricks.Tokenizer):
    COMMANDS: ClassVar[set] = set()
    COMMAND_PREFIX_TOKENS: ClassVar[set] = set()
    KEYWORDS: ClassVar[dict] = {
        text: kind for text, kind in Databricks.Tokenizer.KEYWORDS.items() if not text[0].isalpha() and "{" not in text
    }


_KINDS = {
    TokenType.VAR: WORD,
    TokenType.IDENTIFIER: QUOTED,
    TokenType.STRING: STRING,
    TokenType.RAW_STRING: STRING,
}


@dataclass(frozen=True, slots=True)
class Token:
    """*text* is the value (quotes and escapes undone), *word* its upper case form where it is a bare word.

    *start* and *end* are positions in the SQL text, *end* behind the last character.
    """

    kind: str
    text: str
    word: str
    start: int
    end: int

    @property
    def is_name(self) -> bool:
        return self.kind in (WORD, QUOTED)


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text from *start* to *end* by *text*."""

    start: int
    end: int
    text: str


@lru_cache(maxsize=1024)
def tokenize(sql: str) -> tuple[Token, ...] | None:
    """The tokens of *sql*; None where it is not SQL at all (an open quote), which Spark itself explains best."""
    try:
        found = _Tokenizer().tokenize(sql)
    except TokenError:
        return None
    tokens = []
    for token in found:
        kind = _KINDS.get(token.token_type, SYMBOL)
        word = token.text.upper() if kind == WORD else token.text if kind == SYMBOL else ""
        tokens.append(Token(kind, token.text, word, token.start, token.end + 1))
    return tuple(tokens)


def apply(sql: str, edits: Sequence[Edit]) -> str:
    """*sql* with *edits* made; where two overlap the first one given wins."""
    pieces, position = [], 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        if edit.start < position:
            continue
        pieces += [sql[position : edit.start], edit.text]
        position = edit.end
    return "".join(pieces) + sql[position:]


def literal(text: str) -> str:
    """*text* as a SQL string."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def quoted(name: str) -> str:
    """*name* as a quoted SQL name."""
    return "`" + name.replace("`", "``") + "`"
