"""Procedures: CREATE PROCEDURE stores one, CALL becomes a script that contains its body.

    CALL add_one(5, total)   ->   BEGIN
                                    DECLARE `__0` INT DEFAULT 5;
                                    DECLARE `__1` INT;
                                    `add_one`: BEGIN
                                      DECLARE `x` INT DEFAULT `__0`;
                                      DECLARE `y` INT;
                                      BEGIN SET y = x + 1; END;
                                      SET `__1` = `y`;
                                    END;
                                    SET total = `__1`;
                                  END

The outer variables separate arguments from parameters with the same name. Names in the body are resolved in the session
that executes CALL.

Source: Databricks documentation, "CREATE PROCEDURE", "CALL", "DROP PROCEDURE".
"""

from dataclasses import dataclass

from lakelocal.dialect.ddl.reader import Reader
from lakelocal.dialect.names import join_name, split_name
from lakelocal.dialect.routines.signature import IN, INOUT, OUT, Signature, read_parameters
from lakelocal.dialect.routines.store import PROCEDURE, RoutineName, Routines
from lakelocal.dialect.sessions import Namespace
from lakelocal.dialect.statement import NOTHING, rows_as_sql
from lakelocal.errors import DialectError
from lakelocal.sql.nesting import level
from lakelocal.sql.tokens import tokenize
from lakelocal.sql.writing import quoted


@dataclass(frozen=True)
class Procedure:
    """A procedure: its parameters, and its body, which is a script."""

    signature: Signature
    body: str


@dataclass(frozen=True)
class Procedures:
    """The procedures of *routines*, for a session whose current catalog and schema are *place*."""

    routines: Routines
    place: Namespace

    def statement(self, sql: str) -> str | None:
        """What Spark runs instead of *sql*: a script for CALL, nothing for what is done here; None for anything else.

        Raises:
            DialectError: there is no such procedure, or it exists already, or the statement is malformed.
        """
        tokens = tokenize(sql) or ()
        reader = Reader(sql, tokens, 0, len(tokens), f"The statement `{' '.join(sql.split())[:80]}`")
        if reader.take("CREATE OR REPLACE PROCEDURE") or reader.take("CREATE PROCEDURE"):
            return self._create(sql, reader)
        if reader.take("DROP PROCEDURE"):
            if_exists = reader.take("IF EXISTS")
            name = self._name(reader.names())
            if not self.routines.drop(name, PROCEDURE) and not if_exists:
                raise self._missing(name)
            return NOTHING
        if reader.take("DROP"):
            self._drop_with(reader)
            return None
        if reader.take("CALL"):
            return self._call(sql, reader)
        if reader.take("SHOW PROCEDURES"):
            return self._show(reader)
        if reader.take("DESCRIBE PROCEDURE") or reader.take("DESC PROCEDURE"):
            reader.take("EXTENDED")
            return self._describe(self._name(reader.names()))
        return None

    def _drop_with(self, reader: Reader) -> None:
        """Remove the routines of a schema or catalog that is dropped with everything in it."""
        kind = next((kind for kind in ("SCHEMA", "DATABASE", "CATALOG") if reader.take(kind)), None)
        reader.take("IF EXISTS")
        words = [token.word for token in reader.tokens if token.word != ";"]
        if kind is None or words[-1] != "CASCADE":
            return
        parts = reader.names()
        catalog = parts[0] if kind == "CATALOG" or len(parts) > 1 else self.place.catalog
        self.routines.drop_all(catalog, None if kind == "CATALOG" else parts[-1])

    def _create(self, sql: str, reader: Reader) -> str:
        replaces = reader.tokens[1].word == "OR"
        if_not_exists = reader.take("IF NOT EXISTS")
        name = self._name(reader.names())
        exists = self.routines.text(name, PROCEDURE) is not None
        if exists and not replaces:
            if if_not_exists:
                return NOTHING
            raise DialectError(f"CREATE PROCEDURE {name}: the procedure exists. Write CREATE OR REPLACE PROCEDURE.")
        read_procedure(sql)
        self.routines.keep(name, PROCEDURE, sql)
        return NOTHING

    def _call(self, sql: str, reader: Reader) -> str:
        name = self._name(reader.names())
        text = self.routines.text(name, PROCEDURE)
        if text is None:
            raise self._missing(name)
        if not reader.next_is("("):
            raise reader.error("expected the arguments in parentheses")
        procedure = read_procedure(text)
        return _script(procedure, procedure.signature.arguments(sql, reader.tokens, reader.at))

    def _show(self, reader: Reader) -> str:
        parts = reader.names() if reader.take("IN") or reader.take("FROM") else []
        catalog, schema = [self.place.catalog, *(parts or [self.place.schema])][-2:]
        rows = [(catalog, schema, name) for name in self.routines.names(catalog, schema, PROCEDURE)]
        return rows_as_sql(["catalog", "namespace", "procedure"], rows)

    def _describe(self, name: RoutineName) -> str:
        text = self.routines.text(name, PROCEDURE)
        if text is None:
            raise self._missing(name)
        procedure = read_procedure(text)
        listed = [f"{each.mode} {each.name} {each.type}" for each in procedure.signature.parameters]
        rows = [("Procedure", str(name)), ("Parameters", ", ".join(listed)), ("Body", procedure.body)]
        return rows_as_sql(["info_name", "info_value"], rows)

    def _name(self, parts: list[str]) -> RoutineName:
        return RoutineName.of(parts, self.place)

    def _missing(self, name: RoutineName) -> DialectError:
        known = ", ".join(self.routines.names(name.catalog, name.schema, PROCEDURE)) or "none"
        return DialectError(
            f"The procedure `{name}` cannot be found; `{name.catalog}.{name.schema}` has {known}. "
            "Create it with CREATE PROCEDURE."
        )


def read_procedure(sql: str) -> Procedure:
    """The procedure that the statement *sql* creates.

    Raises:
        DialectError: it does not follow the grammar.
    """
    tokens = tokenize(sql) or ()
    reader = Reader(sql, tokens, 0, len(tokens), f"The statement `{' '.join(sql.split())[:80]}`")
    if not reader.take("CREATE OR REPLACE PROCEDURE"):
        reader.take("CREATE PROCEDURE")
    reader.take("IF NOT EXISTS")
    name = reader.names()
    parameters = tuple(read_parameters(reader.parenthesized(), reader.where))
    places = (index for index in level(tokens, reader.at) if tokens[index].word == "BEGIN")
    body = next((index for index in places if tokens[index - 1].word == "AS"), None)
    if body is None:
        raise reader.error("expected AS BEGIN ... END")
    return Procedure(Signature(join_name(name), parameters), sql[tokens[body].start :].rstrip().rstrip(";"))


def _script(procedure: Procedure, arguments: list[str | None]) -> str:
    """The body of *procedure*, with variables that pass *arguments* in and out."""
    outer, inner, given, returned = [], [], [], []
    for index, (parameter, argument) in enumerate(zip(procedure.signature.parameters, arguments, strict=True)):
        kept, name = quoted(f"__{index}"), quoted(parameter.name)
        takes, gives = parameter.mode in (IN, INOUT), parameter.mode in (OUT, INOUT)
        if gives and split_name(argument or "") is None:
            raise DialectError(
                f"{procedure.signature.name}(...): found `{argument}` for the {parameter.mode} parameter "
                f"`{parameter.name}`; expected a variable. Declare one, and pass it."
            )
        outer.append(f"DECLARE {kept} {parameter.type}" + (f" DEFAULT {argument}" if takes else ""))
        inner.append(f"DECLARE {name} {parameter.type}" + (f" DEFAULT {kept}" if takes else ""))
        given += [f"SET {kept} = {name}"] if gives else []
        returned += [f"SET {argument} = {kept}"] if gives else []
    label = quoted(procedure.signature.name.split(".")[-1].strip("`"))
    block = "; ".join([*inner, procedure.body, *given])
    return "BEGIN\n" + ";\n".join([*outer, f"{label}: BEGIN {block}; END", *returned]) + ";\nEND"
