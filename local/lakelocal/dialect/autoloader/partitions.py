"""Columns in the names of folders: `country=BR/day=2024-01-01/`.

Source: Databricks documentation, "How does Auto Loader infer partition columns?" and "Auto Loader options".
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import unquote

from lakelocal.dialect.autoloader.columns import Column
from lakelocal.dialect.autoloader.files import fixed_root
from lakelocal.dialect.volumes import path_part
from lakelocal.sql.writing import literal

# Hive's name for the folder of rows whose value is NULL.
_NULL = "__HIVE_DEFAULT_PARTITION__"
_TYPES = (
    ("INT", re.compile(r"[-+]?\d{1,9}")),
    ("BIGINT", re.compile(r"[-+]?\d{1,18}")),
    ("DOUBLE", re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")),
    ("DATE", re.compile(r"\d{4}-\d{2}-\d{2}")),
    ("TIMESTAMP", re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}(\.\d+)?")),
)


def partition_values(root: Path, file: Path) -> dict[str, str | None]:
    """The columns in the names of the folders between *root* and *file*, with their values."""
    base = fixed_root(root)
    parts = file.relative_to(base).parts[:-1] if file.is_relative_to(base) else ()
    pairs = (part.split("=", 1) for part in parts if "=" in part.strip("="))
    return {unquote(name): None if value in (_NULL, "") else unquote(value) for name, value in pairs if name}


def infer_partitions(
    root: Path, files: Iterable[Path], wanted: Sequence[str] | None, *, typed: bool
) -> tuple[Column, ...]:
    """The partition columns of *files* below *root*.

    *wanted* are the requested names; None stands for those in the folders, unless the files disagree about them.
    *typed*: the types are inferred from the values; otherwise all columns are STRING.
    """
    found = [partition_values(root, file) for file in files]
    if wanted is None:
        orders = {tuple(values) for values in found}
        names: Sequence[str] = next(iter(orders)) if len(orders) == 1 else ()
    else:
        names = wanted
    return tuple(Column(name, _type([values.get(name) for values in found]) if typed else "STRING") for name in names)


def _type(values: Sequence[str | None]) -> str:
    some = [value for value in values if value is not None]
    fits = (kind for kind, pattern in _TYPES if some and all(pattern.fullmatch(value) for value in some))
    return next(fits, "STRING")


def partition_text(root: Path, name: str) -> str:
    """SQL: the value of the partition column *name* in the path of the row's file; NULL if it has none."""
    base = f"file:{path_part(fixed_root(root))}"
    below = f"substring(_metadata.file_path, {len(base) + 1})"
    # The path is that of a URI, and characters that Hive does not allow in a folder's name are escaped once more.
    uri = f"regexp_extract({below}, {literal(f'/{_regex(name)}=([^/]*)/')}, 1)"
    folder = _decoded(uri)
    return f"nullif(nullif(coalesce({_decoded(folder)}, {folder}), ''), {literal(_NULL)})"


def _decoded(sql: str) -> str:
    """SQL: *sql* with its URL escapes decoded; a plus sign stays, as in every path."""
    return f"try_url_decode(replace({sql}, '+', '%2B'))"


def _regex(name: str) -> str:
    """A Java pattern that matches *name* as Spark writes it in a URI."""
    return re.sub(r"([^\w%])", r"\\\1", path_part(Path(name)))
