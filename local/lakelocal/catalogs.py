"""The catalogs of a state, and the metastore schemas that represent the schemas of catalogs other than the run's.

There is a single metastore. The schemas of the run's own catalog have their own names in it; schema `s` of another
catalog `c` is the schema `catalog__c__s`, which users never see: the dialect translates it in requests and answers.

On Databricks a catalog has to exist. Here these do: the run's own, those of `ALWAYS`, and each that has a folder
`<state>/catalogs/<name>`, created by `CREATE CATALOG` or by a run for the catalogs that its bundle names.
"""

import contextlib
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from lakelocal.errors import DialectError
from lakelocal.program import PROGRAM
from lakelocal.project import CATALOG_NAME, State
from lakelocal.sql.writing import quoted

SAMPLES, SYSTEM = "samples", "system"
# What every workspace has, or what code written for any workspace takes for granted.
ALWAYS = ("hive_metastore", "main", SAMPLES, SYSTEM)
DEFAULT_SCHEMA, INFORMATION_SCHEMA = "default", "information_schema"
SPARK_CATALOG = "spark_catalog"  # Spark's own name for its only catalog

PREFIX = "catalog__"
# A character that is not a letter or digit is written as `_` and two digits: so `__` ends the catalog's name.
_ENCODING = "(?:[a-z0-9]|_[0-9a-f]{2})+"
MAPPED_PREFIX = f"{PREFIX}{_ENCODING}__"  # what precedes a schema's own name, as a regular expression
_MAPPED = re.compile(rf"{PREFIX}({_ENCODING})__(\w+)")
_ENCODED = re.compile(r"_([0-9a-f]{2})")
# A mapped schema in a text, quoted or not, with Spark's catalog before it or not; in a path it is a folder's name.
_IN_TEXT = re.compile(rf"(?<![\w/.])(?:(`?){SPARK_CATALOG}\1\.)?(`?){_MAPPED.pattern}\2")
_DESCRIBED = re.compile(rf"\bCatalog: {SPARK_CATALOG}\nDatabase: (?:{_MAPPED.pattern}|(?=\w))")
_SPARK_CATALOG_IN_TEXT = re.compile(rf"(?<![\w/.]){SPARK_CATALOG}(?=`?\.`?\w)")


def mapped(catalog: str, schema: str) -> str:
    """The metastore schema that represents *schema* of *catalog*."""
    encoded = "".join(
        c if c.isascii() and c.isalnum() else "".join(f"_{b:02x}" for b in c.encode()) for c in catalog.lower()
    )
    return f"{PREFIX}{encoded}__{schema.lower()}"


def unmapped(name: str) -> tuple[str, str] | None:
    """The (catalog, schema) that *name*, a metastore schema, represents; None if it belongs to the run's catalog."""
    found = _MAPPED.fullmatch(name)
    return (_decoded(found[1]), found[2]) if found else None


def shown(text: str, own: str) -> str:
    """*text*, which Spark wrote, with the names that the user knows; *own* is the run's catalog."""
    if PREFIX not in text and SPARK_CATALOG not in text:
        return text
    if found := unmapped(text):
        return found[1]
    text = _DESCRIBED.sub(lambda m: f"Catalog: {_decoded(m[1]) if m[1] else own}\nDatabase: {m[2] or ''}", text)
    text = _IN_TEXT.sub(lambda m: f"{m[2]}{_decoded(m[3])}{m[2]}.{m[2]}{m[4]}{m[2]}", text)
    return _SPARK_CATALOG_IN_TEXT.sub(own, text)


def _decoded(name: str) -> str:
    return unquote(_ENCODED.sub(r"%\1", name))


@dataclass(frozen=True)
class Catalogs:
    """The catalogs of *state*."""

    state: State

    @property
    def own(self) -> str:
        """The name of the run's catalog."""
        return self.state.catalog

    def is_own(self, name: str) -> bool:
        return name.lower() == self.own.lower()

    def exists(self, name: str) -> bool:
        return self.is_own(name) or name.lower() in ALWAYS or self.folder(name).is_dir()

    def names(self) -> list[str]:
        """The names of all catalogs that exist, sorted."""
        made = (folder.name for folder in self.state.catalogs.glob("*") if folder.is_dir())
        return sorted({self.own, *(name for name in (*ALWAYS, *made) if not self.is_own(name))})

    def create(self, name: str) -> None:
        """Create the catalog *name*, if it does not exist.

        Raises:
            DialectError: *name* cannot be the name of a catalog.
        """
        if not CATALOG_NAME.fullmatch(name):
            raise DialectError(f"The catalog `{name}`: expected letters, digits, `_` and `-` in its name. Rename it.")
        if not self.is_own(name):
            self.folder(name).mkdir(parents=True, exist_ok=True)
            self._link(name)

    def remove(self, name: str) -> None:
        """Remove the catalog *name*, which is not the run's, with its volumes."""
        shutil.rmtree(self.folder(name), ignore_errors=False)
        (self.state.links / name.lower()).unlink(missing_ok=True)

    def linked(self) -> Path:
        """The folder that processes see as `/Volumes`, created: a link for each catalog, a folder for the run's own."""
        (self.state.links / self.own).mkdir(parents=True, exist_ok=True)
        for name in self.names():
            if not self.is_own(name) and name not in (SAMPLES, SYSTEM):  # these have no volumes
                self._link(name)
        return self.state.links

    def _link(self, name: str) -> None:
        self.state.links.mkdir(exist_ok=True)
        with contextlib.suppress(FileExistsError):
            (self.state.links / name.lower()).symlink_to(self.volumes(name))

    def folder(self, name: str) -> Path:
        return self.state.catalogs / name.lower()

    def volumes(self, name: str) -> Path:
        """The folder with the volumes of *name*, as `<schema>/<volume>`."""
        return self.state.volumes if self.is_own(name) else self.folder(name) / "volumes"

    def schema(self, catalog: str, schema: str) -> str:
        """The metastore schema that represents *schema* of *catalog*."""
        if self.is_own(catalog) and schema.lower() != INFORMATION_SCHEMA:
            return schema
        return mapped(catalog, schema)

    def schemas_like(self, catalog: str, pattern: str) -> str:
        """The pattern for the metastore schemas that represent the schemas of *catalog* that match *pattern*.

        Patterns of Spark are regular expressions in which only `*` and `|` mean something else.
        """
        before = f"(?!{PREFIX})" if self.is_own(catalog) else mapped(catalog, "")
        return "|".join(before + one.strip() for one in pattern.split("|"))

    def missing(self, name: str, where: str) -> str:
        """The message for the catalog *name*, which does not exist but occurs in *where*."""
        there = ", ".join(f"`{each}`" for each in self.names())
        written = name if name.isidentifier() else quoted(name)
        return (
            f"{where}: found the catalog `{name}`, which does not exist here; there are {there}. Create it once, with "
            f"`{PROGRAM} sql 'CREATE CATALOG {written}'` or in the notebook, or name it in a variable or a parameter "
            "whose name says catalog."
        )
