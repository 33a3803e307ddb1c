"""Translates the expressions of a plan: SQL snippets, functions that return the catalog, and the paths of files."""

from dataclasses import dataclass

import pyspark.sql.connect.proto as proto

from lakelocal.dialect.names import join_name, split_name
from lakelocal.dialect.sql import CURRENT_SCHEMA, SqlText


@dataclass(frozen=True)
class Expressions:
    sql: SqlText

    def rewrite(self, expression: proto.Expression) -> None:
        """Translate *expression* in place; the expressions inside it have been translated already."""
        kind = expression.WhichOneof("expr_type")
        if kind == "expression_string":
            text = expression.expression_string
            text.expression = self.sql.rewrite(text.expression)
        elif kind == "unresolved_attribute":
            self._attribute(expression)
        elif kind == "unresolved_star" and expression.unresolved_star.unparsed_target:
            self._star(expression.unresolved_star)
        elif kind == "unresolved_function":
            self._function(expression)
        elif kind == "call_function":
            expression.call_function.function_name = self._function_name(expression.call_function.function_name)
        elif kind == "unresolved_extract_value" and _is_file_path(expression.unresolved_extract_value):
            self._show_path(expression, "file_path")

    def _attribute(self, expression: proto.Expression) -> None:
        parts = split_name(expression.unresolved_attribute.unparsed_identifier) or []
        if [part.lower() for part in parts] == ["_metadata", "file_path"]:
            self._show_path(expression, "file_path")
        elif (found := self.sql.names.column(parts)) is not None:
            expression.unresolved_attribute.unparsed_identifier = join_name(found)

    def _star(self, star: proto.Expression.UnresolvedStar) -> None:
        parts = split_name(star.unparsed_target.removesuffix(".*")) or []
        if (found := self.sql.names.column([*parts, "*"])) is not None:
            star.unparsed_target = join_name(found[:-1]) + ".*"

    def _function(self, expression: proto.Expression) -> None:
        function = expression.unresolved_function
        name = function.function_name.lower()
        if name == "current_catalog" and not function.arguments:
            expression.CopyFrom(_named(_text(self.sql.catalog), "current_catalog()"))
        elif name in CURRENT_SCHEMA and not function.arguments and not self.sql.names.in_own:
            expression.CopyFrom(_named(_text(self.sql.schema_name), f"{name}()"))
        elif name == "input_file_name" and not function.arguments:
            self._show_path(expression, "input_file_name()")
        else:
            function.function_name = self._function_name(function.function_name)

    def _function_name(self, name: str) -> str:
        if "." not in name:
            return name
        return self.sql.name(name, f"The function `{name}`")

    def _show_path(self, expression: proto.Expression, name: str) -> None:
        """Let *expression*, the URI of a file, return the path that Databricks shows; its *name* stays."""
        for prefix, shown in self.sql.volumes.uri_prefixes():
            inner = proto.Expression()
            inner.CopyFrom(expression)
            call = proto.Expression.UnresolvedFunction(
                function_name="replace", arguments=[inner, _text(prefix), _text(shown)]
            )
            expression.CopyFrom(proto.Expression(unresolved_function=call))
        expression.CopyFrom(_named(expression, name))


def _is_file_path(value: proto.Expression.UnresolvedExtractValue) -> bool:
    """Is it `col("_metadata").getField("file_path")`?"""
    return (
        value.child.unresolved_attribute.unparsed_identifier.strip("`") == "_metadata"
        and value.extraction.literal.string == "file_path"
    )


def _text(value: str) -> proto.Expression:
    return proto.Expression(literal=proto.Expression.Literal(string=value))


def _named(expression: proto.Expression, name: str) -> proto.Expression:
    """*expression* with *name*; inside another expression, Spark drops the name again."""
    return proto.Expression(alias=proto.Expression.Alias(expr=expression, name=[name]))
