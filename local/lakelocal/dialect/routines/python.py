"""Python functions that are created in SQL: `CREATE FUNCTION ... LANGUAGE PYTHON AS $$ ... $$`.

Spark's metastore cannot store them. The statement is therefore stored here, and a session that calls the function gets
it as a temporary one with its full name: `c.s.function(x)` becomes `` `c.s.function`(CAST(x AS INT)) ``.

Source: Databricks documentation, "CREATE FUNCTION (SQL and Python)", "User-defined functions (UDFs) in Unity Catalog",
"Python user-defined table functions (UDTFs) in Unity Catalog".
"""

import sys
import textwrap
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

import pyspark.sql.connect.proto as proto

from lakelocal.dialect import scan
from lakelocal.dialect.ddl.reader import Reader
from lakelocal.dialect.names import join_name
from lakelocal.dialect.routines.signature import Parameter, Signature, read_parameters
from lakelocal.dialect.routines.store import FUNCTION, RoutineName, Routines
from lakelocal.dialect.server import Server, columns, run
from lakelocal.dialect.sessions import Namespace
from lakelocal.dialect.statement import NOTHING, rows_as_sql
from lakelocal.errors import DialectError
from lakelocal.sql.nesting import closing
from lakelocal.sql.tokens import STRING, tokenize
from lakelocal.sql.writing import Edit, apply, literal, quoted

_BATCHED, _TABLE = 100, 300  # Spark's PythonEvalType.SQL_BATCHED_UDF and SQL_TABLE_UDF
_CHARACTERISTICS = frozenset(
    {"LANGUAGE", "DETERMINISTIC", "NOT", "COMMENT", "CONTAINS", "READS", "ENVIRONMENT", "HANDLER", "PARAMETER", "AS"}
    | {"SQL", "DEFAULT"}
)


@dataclass(frozen=True)
class PythonFunction:
    """A function; *returns* is a SQL type, or the columns of a table function."""

    signature: Signature
    returns: str | tuple[Parameter, ...]
    body: str
    handler: str
    deterministic: bool
    replaces: bool
    temporary: bool
    if_not_exists: bool
    name: tuple[str, ...]

    def made(self) -> Any:
        """The Python function or class.

        Raises:
            DialectError: the body is not valid Python, or does not define the handler.
        """
        space: dict[str, Any] = {"__name__": "__main__"}  # pickled whole, since a worker cannot import it
        source = textwrap.dedent(self.body.strip("\n"))
        if not self.handler:
            names = ", ".join(parameter.name for parameter in self.signature.parameters)
            source = f"def function({names}):\n{textwrap.indent(source, '    ')}"
        try:
            exec(compile(source, f"<{self.signature.name}>", "exec"), space)
        except SyntaxError as error:
            raise DialectError(
                f"CREATE FUNCTION {self.signature.name}: line {error.lineno} of its body is not valid Python: "
                f"{error.msg}. Correct it."
            ) from error
        made = space.get(self.handler or "function")
        if made is None:
            raise DialectError(
                f"CREATE FUNCTION {self.signature.name}: its body does not define `{self.handler}`. Correct HANDLER."
            )
        return made


@dataclass(frozen=True)
class PythonFunctions:
    """The Python functions of *routines*, for the *session* of a request.

    *registered* remembers, by session and name, the body of each function that a session has got; *carry* prepares a
    pickled function for a worker.
    """

    routines: Routines
    place: Namespace
    session: str
    server: Server
    registered: MutableMapping[tuple[str, str], str]
    carry: Callable[[bytes], bytes]

    def statement(self, sql: str) -> str | None:
        """What Spark runs instead of *sql* if it creates, drops or describes such a function; otherwise None."""
        tokens = tokenize(sql) or ()
        words = [token.word for token in tokens]
        if words[:1] == ["CREATE"] and "FUNCTION" in words[:5]:
            return self._create(sql) if _says_python(words) else None
        where = f"The statement `{' '.join(sql.split())[:80]}`"
        reader = Reader(sql, tokens, 0, len(tokens), where)
        if reader.take("DROP FUNCTION"):
            reader.take("IF EXISTS")
            return NOTHING if self.routines.drop(self._name(reader.names()), FUNCTION) else None
        if reader.take("DESCRIBE FUNCTION") or reader.take("DESC FUNCTION"):
            reader.take("EXTENDED")
            name = self._name(reader.names()) if not reader.at_end else None
            text = self.routines.text(name, FUNCTION) if name else None
            return None if text is None else _described(str(name), read_function(text))
        return None

    def calls(self, sql: str) -> str:
        """*sql* with calls of Python functions replaced by those of temporary ones, which are registered.

        Raises:
            DialectError: the arguments do not fit, or a view would contain such a call.
        """
        if not self.routines.state.routines.is_dir():
            return sql
        tokens = tokenize(sql) or ()
        edits = []
        for name in scan.Scanner(tokens).names():
            found = self._found(name.parts) if name.called else None
            end = closing(tokens, name.last + 1) if found else None
            if found is None or end is None:
                continue
            _refuse_in_view(sql, [token.word for token in tokens[:6]], str(found))
            function = read_function(self.routines.text(found, FUNCTION) or "")
            self._register(str(found), function)
            arguments = function.signature.arguments(sql, tokens, name.last + 1)
            pairs = zip(function.signature.parameters, arguments, strict=True)
            cast = ", ".join(f"CAST({self.calls(text or 'NULL')} AS {parameter.type})" for parameter, text in pairs)
            edits.append(Edit(tokens[name.first].start, tokens[end].end, f"{quoted(str(found))}({cast})"))
        return apply(sql, edits) if edits else sql

    def _create(self, sql: str) -> str:
        function = read_function(sql)
        function.made()
        if function.temporary:
            self._register(function.signature.name, function)
            return NOTHING
        name = self._name(list(function.name))
        exists = self.routines.text(name, FUNCTION) is not None
        if exists and not function.replaces and not function.if_not_exists:
            raise DialectError(f"CREATE FUNCTION {name}: the function exists. Write CREATE OR REPLACE FUNCTION.")
        if not (exists and function.if_not_exists):
            self.routines.keep(name, FUNCTION, sql)
        return NOTHING

    def _name(self, parts: list[str]) -> RoutineName:
        return RoutineName.of(parts, self.place)

    def _found(self, parts: tuple[str, ...]) -> RoutineName | None:
        """The function that *parts* name; Spark's own function takes precedence if the name has only one part."""
        if len(parts) > 3:
            return None
        name = self._name(list(parts))
        if self.routines.text(name, FUNCTION) is None:
            return None
        built_in = len(parts) == 1 and run(self.server, f"SHOW SYSTEM FUNCTIONS LIKE {literal(parts[0].lower())}")
        return None if built_in else name

    def _register(self, name: str, function: PythonFunction) -> None:
        """Register *function* with the session as the temporary function *name*."""
        key = self.session, name
        if self.registered.get(key) == function.body and not function.temporary:
            return
        command = proto.Command()
        if isinstance(function.returns, str):
            self._fill(command.register_function, name, function, function.returns)
        else:
            self._fill_table(command.register_table_function, name, function, function.returns)
        self.server.rows(proto.Plan(command=command))
        self.registered[key] = function.body

    def _fill(self, message: Any, name: str, function: PythonFunction, returns: str) -> None:
        from pyspark.cloudpickle import dumps
        from pyspark.sql.connect.types import proto_schema_to_pyspark_data_type

        (column,) = columns(self.server, f"SELECT CAST(NULL AS {returns}) AS returned")
        message.function_name, message.deterministic = name, function.deterministic
        message.python_udf.output_type.CopyFrom(column.data_type)
        message.python_udf.eval_type = _BATCHED
        pickled = dumps((function.made(), proto_schema_to_pyspark_data_type(column.data_type)))
        message.python_udf.command = self.carry(pickled)
        message.python_udf.python_ver = _version()

    def _fill_table(self, message: Any, name: str, function: PythonFunction, returns: tuple[Parameter, ...]) -> None:
        from pyspark.cloudpickle import dumps

        values = ", ".join(f"CAST(NULL AS {each.type}) AS {quoted(each.name)}" for each in returns)
        fields = columns(self.server, f"SELECT {values}")
        message.function_name, message.deterministic = name, function.deterministic
        message.python_udtf.return_type.struct.fields.extend(fields)
        message.python_udtf.eval_type = _TABLE
        message.python_udtf.command = self.carry(dumps(function.made()))
        message.python_udtf.python_ver = _version()


def _version() -> str:
    return "{}.{}".format(*sys.version_info[:2])


def _says_python(words: list[str]) -> bool:
    return any(words[index : index + 2] == ["LANGUAGE", "PYTHON"] for index in range(len(words)))


def _refuse_in_view(sql: str, words: list[str], name: str) -> None:
    kept = words[0] == "CREATE" and "TEMPORARY" not in words and "TEMP" not in words
    if kept and {"VIEW", "FUNCTION"} & set(words):
        raise DialectError(
            f"The statement `{' '.join(sql.split())[:80]}`: a view or function that Spark stores cannot call the "
            f"Python function `{name}` on this machine. Use a temporary view, or CREATE TABLE ... AS SELECT."
        )


def _described(name: str, function: PythonFunction) -> str:
    listed = ", ".join(f"{each.name} {each.type}" for each in function.signature.parameters)
    returns = function.returns
    shown = returns if isinstance(returns, str) else f"TABLE ({', '.join(f'{c.name} {c.type}' for c in returns)})"
    lines = [f"Function: {name}", "Language: PYTHON", f"Input: {listed}", f"Returns: {shown}", f"Body: {function.body}"]
    return rows_as_sql(["function_desc"], [(line,) for line in lines])


def read_function(sql: str) -> PythonFunction:
    """The function that the statement *sql* creates.

    Raises:
        DialectError: it does not follow the grammar, or asks for something that has no counterpart here.
    """
    tokens = tuple(token for token in tokenize(sql) or () if token.word != ";")
    reader = Reader(sql, tokens, 0, len(tokens), f"The statement `{' '.join(sql.split())[:80]}`")
    reader.take("CREATE")
    replaces = reader.take("OR REPLACE")
    temporary = reader.take("TEMPORARY") or reader.take("TEMP")
    reader.take("FUNCTION")
    if_not_exists = reader.take("IF NOT EXISTS")
    name = reader.names()
    signature = Signature(join_name(name), tuple(read_parameters(reader.parenthesized(), reader.where)))
    returns: str | tuple[Parameter, ...] = "STRING"
    handler, deterministic = "", True
    while not reader.take("AS"):
        if reader.take("RETURNS TABLE"):
            returns = tuple(read_parameters(reader.parenthesized(), reader.where))
        elif reader.take("RETURNS"):
            returns = reader.until(_CHARACTERISTICS)
        elif reader.take("HANDLER"):
            handler = _string(reader)
        elif reader.take("NOT DETERMINISTIC"):
            deterministic = False
        elif reader.take("COMMENT"):
            reader.string()
        elif reader.take("ENVIRONMENT"):
            reader.parenthesized()
        elif reader.next_is("PARAMETER"):
            raise reader.error("functions that take batches have no counterpart here; use a pandas UDF in PySpark")
        elif not any(reader.take(phrase) for phrase in _IGNORED):
            raise reader.error("expected RETURNS, LANGUAGE PYTHON, HANDLER, COMMENT, DETERMINISTIC or AS $$ ... $$")
    if isinstance(returns, tuple) and not handler:
        raise reader.error("expected HANDLER 'class' for a function that returns a table")
    body = _string(reader)
    return PythonFunction(
        signature, returns, body, handler, deterministic, replaces, temporary, if_not_exists, tuple(name)
    )


_IGNORED = ("LANGUAGE PYTHON", "DETERMINISTIC", "CONTAINS SQL", "READS SQL DATA", "SQL SECURITY DEFINER")


def _string(reader: Reader) -> str:
    """The value of the string at the position of *reader*."""
    start = reader.at
    reader.string()
    return "".join(token.text for token in reader.tokens[start : reader.at] if token.kind == STRING)
