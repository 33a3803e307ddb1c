"""Refused constructs in SQL, found in its tokens: what stands in its strings and comments is no find.

A text is SQL where it begins as a statement does, since queries are kept by names before they are run. A function and
`${...}` are found in any text that is made of tokens.
"""

from collections.abc import Iterator, Sequence

from lakelocal.sql.tokens import STRING, Token, tokenize
from tests.portability.rules import ALLOWED_SETTINGS

STORAGE = ("dbfs:/", "/dbfs/", "/mnt/", "s3://", "s3a://", "abfss://", "wasbs://", "gs://")
_STATEMENTS = {
    *("ALTER", "CACHE", "CLEAR", "COPY", "CREATE", "DELETE", "DESCRIBE", "DROP", "INSERT", "MERGE", "OPTIMIZE"),
    *("REFRESH", "SELECT", "SET", "SHOW", "TRUNCATE", "UNCACHE", "UPDATE", "USE", "VACUUM", "WITH"),
}
# Words that follow each other in a statement of its first word: rule, first word, words.
_SEQUENCES = (
    ("cache", "CACHE", ("CACHE", "TABLE")),
    ("cache", "CACHE", ("CACHE", "LAZY", "TABLE")),
    ("cache", "UNCACHE", ("UNCACHE", "TABLE")),
    ("cache", "CLEAR", ("CLEAR", "CACHE")),
    ("global-view", "CREATE", ("GLOBAL", "TEMP")),
    ("global-view", "CREATE", ("GLOBAL", "TEMPORARY")),
    ("global-view", "", ("GLOBAL_TEMP", ".")),
    ("external-table", "CREATE", ("CREATE", "EXTERNAL")),
    ("python-udf", "CREATE", ("LANGUAGE", "PYTHON")),
    ("python-udf", "CREATE", ("USING", "JAR")),
)


def find_in_sql(text: str) -> Iterator[tuple[str, int, str]]:
    """Rule, lines below the first, and look of each refused construct of *text*; none where it is no SQL."""
    tokens = tokenize(text) or ()
    words = [token.word for token in tokens]
    for rule, at, construct in [*_anywhere(words), *(_in_statement(tokens, words) if _is_statement(words) else ())]:
        yield rule, text.count("\n", 0, tokens[at].start), construct


def _is_statement(words: list[str]) -> bool:
    return next((word for word in words if word != "("), "") in _STATEMENTS


def _anywhere(words: list[str]) -> Iterator[tuple[str, int, str]]:
    for at in range(len(words) - 1):
        if words[at : at + 2] == ["$", "{"]:
            yield "hive-variable", at, "${...}"
        if words[at : at + 2] == ["INPUT_FILE_NAME", "("]:
            yield "input-file-name", at, "input_file_name()"


def _in_statement(tokens: Sequence[Token], words: list[str]) -> Iterator[tuple[str, int, str]]:
    for rule, first, sequence in _SEQUENCES:
        if first in ("", words[0]):
            size = len(sequence)
            starts = (at for at in range(len(words) - size + 1) if tuple(words[at : at + size]) == sequence)
            yield from ((rule, at, " ".join(sequence).replace(" .", ".")) for at in starts)
    if words[0] == "CREATE" and "TABLE" in words[:5]:
        outside = (at for at, word in enumerate(words) if word == "LOCATION" and _depth(words[:at]) == 0)
        yield from (("external-table", at, "LOCATION") for at in outside)
    if words[0] == "SET" and "=" in words:
        name = "".join(token.text for token in tokens[1 : words.index("=")])
        if "." in name and name not in ALLOWED_SETTINGS:
            yield "setting", 0, f"SET {name}"
        if name.startswith(("hivevar:", "hiveconf:")):
            yield "hive-variable", 0, f"SET {name}"
    for at, token in enumerate(tokens):
        if token.kind == STRING and token.text.startswith(STORAGE):
            yield "storage-path", at, f"'{token.text}'"


def _depth(words: list[str]) -> int:
    """How many brackets are open after *words*: inside of them are columns."""
    return words.count("(") - words.count(")")
