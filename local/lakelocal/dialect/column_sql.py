"""Writes a column of the DataFrame API as SQL text, for statements that accept nothing else.

Spark has its operators as functions, too, with names such as `==`, so nearly every expression is a call.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pyspark.sql.connect.proto as proto

from lakelocal.dialect.arguments import literal_text
from lakelocal.errors import DialectError
from lakelocal.sql.writing import literal, quoted

_PART = re.compile(r"`((?:[^`]|``)*)`|([^.`]+)")
_INTERVAL_PARTS = ("months", "days", "microseconds")


@dataclass(frozen=True)
class ColumnSql:
    """Writes the expressions of one statement.

    Args:
        where: The name of the statement, for errors.
        column: Returns the parts of the name that a column has in the statement.
        register: Registers a Python function with the session, and returns its name.
        text: Returns a SQL expression as the statement needs it.
    """

    where: str
    column: Callable[[proto.Expression.UnresolvedAttribute], Iterable[str]]
    register: Callable[[proto.CommonInlineUserDefinedFunction], str]
    text: Callable[[str], str] = str

    def write(self, expression: proto.Expression) -> str:
        """*expression* as SQL that can be used anywhere, even as an operand, without further parentheses.

        Raises:
            DialectError: it cannot be written in SQL.
        """
        kind = expression.WhichOneof("expr_type") or ""
        writer = getattr(self, f"_{kind}", None)
        if writer is None:
            raise self._refused(f"`{kind.replace('_', ' ')}`")
        text: str = writer(getattr(expression, kind))
        return text

    def _literal(self, value: proto.Expression.Literal) -> str:
        text = self._value(value)
        if text is None:
            raise self._refused(f"a literal of the kind `{value.WhichOneof('literal_type')}`")
        return text

    def _value(self, value: proto.Expression.Literal) -> str | None:
        kind = value.WhichOneof("literal_type")
        if kind == "struct":
            names = [field.name for field in value.struct.struct_type.struct.fields]
            if len(names) != len(value.struct.elements):
                return None
            pairs = zip(names, value.struct.elements, strict=True)
            return f"named_struct({', '.join(f'{literal(name)}, {self._literal(each)}' for name, each in pairs)})"
        if kind == "calendar_interval":
            parts = [f"{getattr(value.calendar_interval, part)} {part.upper()}" for part in _INTERVAL_PARTS]
            return f"INTERVAL {' '.join(parts)}"
        return literal_text(value)

    def _unresolved_attribute(self, attribute: proto.Expression.UnresolvedAttribute) -> str:
        return dotted(self.column(attribute))

    def _expression_string(self, text: proto.Expression.ExpressionString) -> str:
        return f"({self.text(text.expression)}\n)"  # which may end with a comment

    def _unresolved_star(self, star: proto.Expression.UnresolvedStar) -> str:
        owner = star.unparsed_target.removesuffix(".*")
        return f"{dotted(attribute_parts(owner))}.*" if owner else "*"

    def _unresolved_function(self, function: proto.Expression.UnresolvedFunction) -> str:
        if function.is_internal:
            raise self._refused(f"`{function.function_name}`, which only the DataFrame API has")
        name = function.function_name
        if name.lower() == "struct":  # the grammar only allows names for its fields if `struct` is not quoted
            return f"struct({', '.join(self._named(each) for each in function.arguments)})"
        written = dotted(attribute_parts(name)) if function.is_user_defined_function else quoted(name)
        return f"{written}({'DISTINCT ' if function.is_distinct else ''}{self._list(function.arguments)})"

    def _call_function(self, function: proto.CallFunction) -> str:
        return f"{dotted(attribute_parts(function.function_name))}({self._list(function.arguments)})"

    def _common_inline_user_defined_function(self, function: proto.CommonInlineUserDefinedFunction) -> str:
        return f"{quoted(self.register(function))}({self._list(function.arguments)})"

    def _named(self, expression: proto.Expression) -> str:
        if expression.HasField("alias") and len(expression.alias.name) == 1:
            return f"{self.write(expression.alias.expr)} AS {quoted(expression.alias.name[0])}"
        return self.write(expression)

    def _alias(self, alias: proto.Expression.Alias) -> str:
        return self.write(alias.expr)

    def _cast(self, cast: proto.Expression.Cast) -> str:
        kind = cast.type_str or type_sql(cast.type)
        tries = cast.eval_mode == proto.Expression.Cast.EvalMode.EVAL_MODE_TRY
        return f"{'TRY_CAST' if tries else 'CAST'}({self.write(cast.expr)} AS {kind})"

    def _lambda_function(self, function: proto.Expression.LambdaFunction) -> str:
        names = [self._unresolved_named_lambda_variable(each) for each in function.arguments]
        listed = names[0] if len(names) == 1 else f"({', '.join(names)})"
        return f"{listed} -> {self.write(function.function)}"

    def _unresolved_named_lambda_variable(self, variable: proto.Expression.UnresolvedNamedLambdaVariable) -> str:
        return "_".join(variable.name_parts)

    def _unresolved_extract_value(self, value: proto.Expression.UnresolvedExtractValue) -> str:
        return f"({self.write(value.child)})[{self.write(value.extraction)}]"

    def _named_argument_expression(self, argument: proto.NamedArgumentExpression) -> str:
        return f"{argument.key} => {self.write(argument.value)}"

    def _list(self, expressions: Iterable[proto.Expression]) -> str:
        return ", ".join(self.write(each) for each in expressions)

    def _refused(self, found: str) -> DialectError:
        return DialectError(
            f"{self.where}: found {found} in a column; expected an expression that SQL has, too. Add it to the source "
            "as a column first, or write the expression as a SQL string."
        )


def attribute_parts(name: str) -> list[str]:
    """The parts of a column name as the DataFrame API reads it: separated by dots, with any characters in backticks."""
    return [(quoted_part or plain).replace("``", "`") for quoted_part, plain in _PART.findall(name)]


def dotted(parts: Iterable[str]) -> str:
    """*parts* as a quoted name."""
    return ".".join(quoted(part) for part in parts)


def type_sql(kind: proto.DataType) -> str:
    """The name of a type, as SQL declares it."""
    from pyspark.sql.connect.types import proto_schema_to_pyspark_data_type  # late: plain statements need no pandas

    name = kind.WhichOneof("kind")
    if name == "unparsed":
        return kind.unparsed.data_type_string
    if name == "array":
        return f"ARRAY<{type_sql(kind.array.element_type)}>"
    if name == "map":
        return f"MAP<{type_sql(kind.map.key_type)}, {type_sql(kind.map.value_type)}>"
    if name == "struct":
        fields = (f"{quoted(field.name)}: {type_sql(field.data_type)}" for field in kind.struct.fields)
        return f"STRUCT<{', '.join(fields)}>"
    return proto_schema_to_pyspark_data_type(kind).simpleString().upper()
