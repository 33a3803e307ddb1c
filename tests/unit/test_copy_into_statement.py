"""`COPY INTO` as a value, the files that it names, and those that a table has taken in."""

import json
from pathlib import Path

import pytest
from dialect_fakes import Schemas

from lakelocal.dialect.copying.command import CopyInto, read_command
from lakelocal.dialect.copying.files import CopyLog, named_files
from lakelocal.dialect.statement import Statement
from lakelocal.errors import DialectError


def command(sql: str) -> CopyInto:
    return read_command(Statement.of(sql, "s", None, Schemas(), lambda text: text))  # type: ignore[arg-type]


def test_all_parts_of_a_statement():
    """Keys with and without quotes, constants of every kind, any order of the clauses."""
    found = command(
        "copy into a.`b c`.t FROM (SELECT a:b::int AS x, f(y, (1)), * FROM '/Volumes/a/b/c') FILEFORMAT = json "
        "COPY_OPTIONS ('force' = true, mergeSchema = 'true') PATTERN = '*.json' "
        "FORMAT_OPTIONS (multiLine = 'true', 'max' = 5, a.b = -1, 'p' = '/Volumes/' || 'x')"
    )

    assert found == CopyInto(
        target="a.`b c`.t",
        columns=None,
        expressions="a:b::int AS x, f(y, (1)), *",
        path="/Volumes/a/b/c",
        format="json",
        files=(),
        pattern="*.json",
        format_options={"multiLine": "true", "max": "5", "a.b": "-1", "p": "/Volumes/x"},
        force=True,
        merge_schema=True,
    )


@pytest.mark.parametrize(
    ("columns", "expected"), [("", None), ("BY POSITION", ()), ("(b, `c d`)", ("b", "c d")), ("( a )", ("a",))]
)
def test_columns(columns, expected):
    """By name, by position, or a list of them."""
    found = command(f"COPY INTO t {columns} FROM 'x' FILEFORMAT = CSV FILES = ('a', 'b/c')")

    assert (found.columns, found.files) == (expected, ("a", "b/c"))


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("COPY INTO", "found the end of the statement; expected the name of a Delta table"),
        ("COPY INTO t BY NAME FROM 'x'", "found `NAME`; expected `POSITION`"),
        (
            "COPY INTO t FROM 'x' FILEFORMAT = CSV FILES = ('a.csv') PATTERN = '*'",
            "found both FILES and PATTERN; expected one of them",
        ),
        ("COPY INTO t FROM 'x' FILEFORMAT = CSV COPY_OPTIONS ('purge' = 'true')", "`purge`; expected `force` or"),
        ("COPY INTO t FROM 'x' WITH (CREDENTIAL c) FILEFORMAT = CSV", "a volume on this machine needs no credential"),
        ("COPY INTO t FROM 'x'", "found the end of the statement; expected `FILEFORMAT`"),
        ("COPY INTO t FROM 'x' FILEFORMAT = CSV ON_ERROR = 'skip'", "found `ON_ERROR`; expected FILES, PATTERN"),
        ("COPY INTO t FROM 'x' FILEFORMAT = CSV VALIDATE 5 ROWS", "SELECT * FROM read_files(...)"),
        ("COPY INTO t FROM 5", "found `5`; expected the path of the files"),
        ("COPY INTO t FROM (SELECT a FROM 'x' WHERE a > 1) FILEFORMAT = CSV", "found `WHERE`; expected `)`"),
        ("COPY INTO t BY POSITION FROM 'x' FILEFORMAT = JSON", "expected CSV files without a header"),
        (
            "COPY INTO t BY POSITION FROM 'x' FILEFORMAT = CSV FORMAT_OPTIONS ('header' = 'true')",
            "expected CSV files without a header",
        ),
        ("COPY INTO t FROM 'x' FILEFORMAT = CSV FORMAT_OPTIONS ('header' 'true')", "found `true`; expected `=`"),
        ("COPY INTO t FROM 'x' FILEFORMAT = CSV FORMAT_OPTIONS ('header' = 'true'", "found the end of the statement"),
        (
            "COPY INTO t FROM 'x' FILEFORMAT = CSV FILES = (" + ", ".join(["'a'"] * 1001) + ")",
            "found 1001 FILES; expected at most 1000",
        ),
    ],
)
def test_what_is_refused(sql, text):
    """Where, what was found, what was expected."""
    with pytest.raises(DialectError) as raised:
        command(sql)
    assert text in str(raised.value)


def test_files_of_a_folder(tmp_path):
    """Its own and those of its partitions; all below with `recursiveFileLookup`; a file may be the source itself."""
    for name in ("a.csv", "b.txt", "day=1/c.csv", "below/d.csv", "below/day=1/e.csv", "_hidden.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).touch()

    def names(folder: Path = tmp_path, **options) -> list[str]:
        given = {"files": (), "pattern": "", "glob": None, "recursive": False, **options}
        return [str(file.relative_to(tmp_path)) for file in named_files(folder, "x", **given)]

    assert names() == ["a.csv", "b.txt", "day=1/c.csv"]
    assert names(recursive=True) == ["a.csv", "b.txt", "below/d.csv", "below/day=1/e.csv", "day=1/c.csv"]
    assert names(glob="*.csv") == ["a.csv", "day=1/c.csv"]
    assert names(pattern="be*/*.csv") == ["below/d.csv"]
    assert names(pattern="{a,b}.*") == ["a.csv", "b.txt"]
    assert names(files=("below/d.csv",)) == ["below/d.csv"]
    assert names(tmp_path / "a.csv") == ["a.csv"]
    with pytest.raises(DialectError, match=r"FILES: `no.csv` is not in `x`"):
        names(files=("no.csv",))
    with pytest.raises(DialectError, match="does not exist"):
        names(tmp_path / "none")


def commit(location: Path, version: int, application: str, rows: int) -> None:
    lines = [
        {"commitInfo": {"operationMetrics": {"numOutputRows": str(rows)}}},
        {"txn": {"appId": application, "version": 1}},
    ]
    (location / "_delta_log" / f"{version:020}.json").write_text("\n".join(map(json.dumps, lines)))


def test_the_log_of_a_table(tmp_path):
    """A copy counts once its commit is there; one without is forgotten; another table's do not count."""
    log, other = CopyLog(tmp_path, "1"), CopyLog(tmp_path, "2")
    log.folder.mkdir(parents=True)

    first = log.begin([Path("/a"), Path("/b")])
    commit(tmp_path, 1, first, 7)
    assert log.finish(first) == {"numOutputRows": "7"}
    assert log.taken() == {"/a", "/b"}
    assert other.taken() == frozenset()

    killed_behind = log.begin([Path("/c")])
    commit(tmp_path, 2, killed_behind, 1)
    killed_before = log.begin([Path("/d")])
    assert log.taken() == {"/a", "/b", "/c"}
    assert not (log.folder / f"{killed_before}.json").exists()
    (tmp_path / "_delta_log" / f"{2:020}.json").unlink()  # logs are cleaned up in time
    assert log.taken() == {"/a", "/b", "/c"}
