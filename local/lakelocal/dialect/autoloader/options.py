"""Reads the options of a `cloudFiles` source into a checked value.

Source: Databricks documentation, "Auto Loader options".
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lakelocal.dialect.autoloader.columns import Column, parse_columns
from lakelocal.dialect.autoloader.files import list_files
from lakelocal.dialect.autoloader.hints import Hint, parse_hints
from lakelocal.errors import DialectError

FORMATS = ("csv", "json", "parquet", "orc", "text", "binaryFile")
FIXED = frozenset({"text", "binaryFile"})
EVOLUTION = ("addNewColumns", "addNewColumnsWithTypeWidening", "rescue", "failOnNewColumns", "none")
# The modes in which new fields are added to the schema, and the stream has to be started again.
GROWING = frozenset(EVOLUTION[:2])
_PREFIX = "cloudfiles."
_READ, _NO_EFFECT = "read here", "no effect here: it changes how files are found, and listing finds them all"
# Every option that begins with `cloudFiles.`: it is read, has no effect, or may only have the value that is named here.
_OPTIONS: Mapping[str, str] = {
    "format": _READ,
    "schemaLocation": _READ,
    "inferColumnTypes": _READ,
    "schemaEvolutionMode": _READ,
    "schemaHints": _READ,
    "rescuedDataColumn": _READ,
    "partitionColumns": _READ,
    "maxFilesPerTrigger": _READ,
    "maxBytesPerTrigger": _READ,
    "backfillInterval": _NO_EFFECT,
    "fetchParallelism": _NO_EFFECT,
    "maxFileAge": _NO_EFFECT,
    "resourceTag": _NO_EFFECT,
    "useIncrementalListing": _NO_EFFECT,
    "useListingForBackfill": _NO_EFFECT,
    "useManagedFileEvents": _NO_EFFECT,
    "useStrictGlobber": _NO_EFFECT,
    "validateOptions": _NO_EFFECT,
    "allowOverwrites": "false",
    "cleanSource": "off",
    "includeExistingFiles": "true",
    "useNotifications": "false",
}
_BY_KEY = {name.lower(): meaning for name, meaning in _OPTIONS.items()}
# Reader options that this translation handles itself; the others are passed to Spark's reader as they are.
_OWN_READER = frozenset(
    {"path", "header", "rescueddatacolumn", "readercasesensitive", "mode", "enforceschema", "inferschema"}
    | {"columnnameofcorruptrecord", "recursivefilelookup", "columnpruning"}
)
# Reader options that would give rows another structure, which this translation does not support.
_REFUSED = {
    "singlevariantcolumn": "read the files as text, and use parse_json(value)",
}
_SIZES = {"": 1, "b": 1, "k": 1 << 10, "kb": 1 << 10, "m": 1 << 20, "mb": 1 << 20, "g": 1 << 30, "gb": 1 << 30}


@dataclass(frozen=True)
class Source:
    """What one `cloudFiles` source reads.

    *columns* is the given schema, None if it comes from the files. *rescued* is the column for data that does not fit,
    None for no such column. *partitions* are the requested columns in the names of folders, None for all that are found
    there. *reader* has the options for Spark's reader of *format*. *infers_always*: no schema is stored between two
    reads. *files* are the only files to read, None for all in *folder*. *narrow_integers*: whole numbers in CSV become
    INT if they are small enough, as with Spark's own reader.
    """

    format: str
    path: str
    folder: Path
    columns: tuple[Column, ...] | None
    rescued: str | None
    evolution: str
    schema_location: Path | None
    hints: tuple[Hint, ...]
    infer_types: bool
    partitions: tuple[str, ...] | None
    header: bool
    case_sensitive: bool
    reader: dict[str, str]
    limits: dict[str, str]
    infers_always: bool = False
    files: tuple[Path, ...] | None = None
    narrow_integers: bool = False

    @property
    def multi_line(self) -> bool:
        return self.option("multiLine", "false").lower() == "true"

    @property
    def places(self) -> list[str]:
        """The paths that Spark's reader has to read."""
        return [str(self.folder)] if self.files is None else [str(file) for file in self.files]

    def listed(self) -> list[Path]:
        """The files that exist now."""
        glob = self.option("pathGlobFilter", "") or None
        return list_files(self.folder, glob) if self.files is None else list(self.files)

    @property
    def fixed(self) -> bool:
        """Do all files of the format have the same columns, apart from those in the names of folders?"""
        return self.format in FIXED

    def option(self, name: str, default: str) -> str:
        """The value of a reader option, whose name may be written in any case."""
        return next((value for key, value in self.reader.items() if key.lower() == name.lower()), default)


def read_source(
    options: Mapping[str, str], *, paths: list[str], schema: str, translate: Callable[[str], str]
) -> Source:
    """The checked source of `format("cloudFiles")`.

    Raises:
        DialectError: an option is unknown, not possible here, or missing; the message names it.
        PathError: the volume does not exist.
    """
    _check(options)
    own = {key.lower().removeprefix(_PREFIX): value for key, value in options.items() if _is_own(key)}
    plain = {key.lower(): value for key, value in options.items() if not _is_own(key)}
    path = _path(paths, plain)
    columns = parse_columns(schema) if schema else None
    evolution = _evolution(own, columns)
    rescued = own.get("rescueddatacolumn") or plain.get("rescueddatacolumn")
    file_format = _format(own)
    if rescued is None and columns is None and evolution != "none" and file_format not in FIXED:
        rescued = "_rescued_data"
    if plain.get("mode", "permissive").lower() != "permissive":
        raise DialectError(
            f"cloudFiles, mode: found `{plain['mode']}`; only PERMISSIVE is possible on this machine. "
            "Remove the option, and use the rescued data column."
        )
    location = own.get("schemalocation")
    return Source(
        format=file_format,
        path=path,
        folder=Path(translate(path)),
        columns=columns,
        rescued=rescued,
        evolution=evolution,
        schema_location=Path(translate(location)) if location else None,
        hints=parse_hints(own["schemahints"]) if own.get("schemahints") else (),
        infer_types=own.get("infercolumntypes", "false").lower() == "true",
        partitions=_partitions(own),
        # If the schema comes from CSV files, it comes from their headers.
        header=plain.get("header", str(columns is None)).lower() == "true",
        case_sensitive=rescued is not None and plain.get("readercasesensitive", "true").lower() == "true",
        reader={key: value for key, value in options.items() if not _is_own(key) and key.lower() not in _OWN_READER},
        limits=_limits(own),
    )


def _partitions(own: Mapping[str, str]) -> tuple[str, ...] | None:
    if "partitioncolumns" not in own:
        return None
    return tuple(name.strip() for name in own["partitioncolumns"].split(",") if name.strip())


def _is_own(key: str) -> bool:
    """Is it an option of Auto Loader, instead of Spark's reader?"""
    return key.lower().startswith(_PREFIX)


def _check(options: Mapping[str, str]) -> None:
    """Refuse options that are unknown, or have a value that is not possible here."""
    for key, value in options.items():
        if advice := _REFUSED.get(key.lower()):
            raise DialectError(f"{key}: this option has no counterpart on this machine; {advice}.")
        if not _is_own(key):
            continue
        possible = _BY_KEY.get(key.lower().removeprefix(_PREFIX))
        if possible is None:
            raise DialectError(f"{key}: unknown option; the known ones are {', '.join(_OPTIONS)}.")
        if possible not in (_READ, _NO_EFFECT, value.lower()):
            raise DialectError(f"{key}: found `{value}`; only `{possible}` is possible on this machine. Remove it.")


def _path(paths: list[str], plain: Mapping[str, str]) -> str:
    found = [*paths, *([plain["path"]] if "path" in plain else [])]
    if len(found) != 1:
        raise DialectError(f"cloudFiles: found {len(found)} paths; expected one. Name it in load(path).")
    return found[0]


def _format(own: Mapping[str, str]) -> str:
    found = own.get("format", "")
    for name in FORMATS:
        if found.lower() == name.lower():
            return name
    raise DialectError(f"cloudFiles.format: found `{found}`; expected one of {', '.join(FORMATS)}.")


def _evolution(own: Mapping[str, str], columns: tuple[Column, ...] | None) -> str:
    default = "addNewColumns" if columns is None else "none"
    wanted = own.get("schemaevolutionmode", default)
    found = next((name for name in EVOLUTION if name.lower() == wanted.lower()), None)
    if found is None:
        raise DialectError(f"cloudFiles.schemaEvolutionMode: found `{wanted}`; expected one of {', '.join(EVOLUTION)}.")
    if found in GROWING and columns is not None:
        raise DialectError(
            f"cloudFiles.schemaEvolutionMode: `{found}` is not possible with a given schema. "
            "Give cloudFiles.schemaHints instead of the schema, or use `rescue`."
        )
    return found


def _limits(own: Mapping[str, str]) -> dict[str, str]:
    """The limits of a batch; the file source has both of them, but only one can be set."""
    if files := own.get("maxfilespertrigger"):
        return {"maxFilesPerTrigger": files}
    if not (size := own.get("maxbytespertrigger")):
        return {}
    match = re.fullmatch(r"(\d+)\s*([a-z]*)", size.strip().lower())
    if match is None or match[2] not in _SIZES:
        raise DialectError(f"cloudFiles.maxBytesPerTrigger: found `{size}`; expected a size such as `10g`.")
    return {"maxBytesPerTrigger": str(int(match[1]) * _SIZES[match[2]])}
