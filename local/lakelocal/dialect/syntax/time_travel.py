"""`table@v1` and `table@yyyyMMddHHmmssSSS`: an earlier version of a Delta table in its name.

Source: Databricks documentation, "Work with table history", the `@` syntax.
"""

import re
from datetime import datetime, timedelta

from lakelocal.sql.tokens import Token, tokenize
from lakelocal.sql.writing import Edit, apply

_VERSION = re.compile(r"v(\d+)", re.IGNORECASE)
_TIME = re.compile(r"\d{17}")


def name_versions(sql: str) -> str:
    """*sql* with `VERSION AS OF` or `TIMESTAMP AS OF` after names, instead of `@...`."""
    if "@" not in sql:
        return sql
    tokens = tokenize(sql) or ()
    return apply(
        sql,
        [
            Edit(at.start, version.end, f" {clause}")
            for name, at, version in zip(tokens, tokens[1:], tokens[2:], strict=False)
            if _touch(name, at, version) and (clause := _clause(version.text)) is not None
        ],
    )


def version_options(name: str) -> tuple[str, dict[str, str]]:
    """The *name* of a table that is passed to an API, without `@...`, and the equivalent options of a reader."""
    plain, _, version = name.rpartition("@")
    if not plain or _clause(version) is None:
        return name, {}
    if found := _VERSION.fullmatch(version):
        return plain, {"versionAsOf": found[1]}
    return plain, {"timestampAsOf": _time(version)}


def _touch(name: Token, at: Token, version: Token) -> bool:
    return name.is_name and at.text == "@" and name.end == at.start and at.end == version.start


def _clause(version: str) -> str | None:
    if found := _VERSION.fullmatch(version):
        return f"VERSION AS OF {found[1]}"
    return f"TIMESTAMP AS OF '{_time(version)}'" if _TIME.fullmatch(version) else None


def _time(digits: str) -> str:
    """`20260131093000500` as `2026-01-31 09:30:00.500`."""
    at = datetime.strptime(digits[:14], "%Y%m%d%H%M%S") + timedelta(milliseconds=int(digits[14:]))
    return at.isoformat(sep=" ", timespec="milliseconds")
