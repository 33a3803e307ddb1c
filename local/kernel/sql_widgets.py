"""`CREATE WIDGET` and `REMOVE WIDGET`, the statements of SQL notebooks that make and take away parameters.

    CREATE WIDGET TEXT day DEFAULT '2026-01-31'
    CREATE WIDGET DROPDOWN state DEFAULT 'CA' CHOICES SELECT * FROM (VALUES ('CA'), ('IL'))
    REMOVE WIDGET day

Source: Databricks documentation, "Databricks widgets", the SQL of each example.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from local.errors import DialectError
from local.kernel.sql_cells import split_statements, tokens_of

KINDS = ("TEXT", "DROPDOWN", "COMBOBOX", "MULTISELECT")
_GRAMMAR = (
    f"expected `CREATE WIDGET {'|'.join(KINDS)} name DEFAULT 'value' [CHOICES query]` or `REMOVE WIDGET name`. "
    "Correct the statement."
)


@dataclass(frozen=True)
class WidgetStatement:
    """One of the statements; *kind* is `REMOVE` or one of `KINDS`, *choices* a query whose first column they are."""

    kind: str
    name: str
    default: str = ""
    choices: str = ""

    def apply(self, widgets: Any, choices_of: Callable[[str], list[str]]) -> None:
        """Do what it says to `dbutils.widgets`; *choices_of* runs a query."""
        if self.kind == "REMOVE":
            widgets.remove(self.name)
        elif self.kind == "TEXT":
            widgets.text(self.name, self.default)
        else:
            getattr(widgets, self.kind.lower())(self.name, self.default, choices_of(self.choices))


def widget_statement(text: str) -> WidgetStatement | None:
    """The statement in *text*, None where it is another.

    Raises:
        DialectError: it begins like one and is none.
    """
    tokens = tokens_of(text) or []
    words = [token.text.upper() for token in tokens[:2]]
    if words == ["REMOVE", "WIDGET"] and len(tokens) == 3:
        return WidgetStatement("REMOVE", tokens[2].text)
    if words not in (["CREATE", "WIDGET"], ["REMOVE", "WIDGET"]):
        return None
    shape = [token.text.upper() for token in tokens]
    if len(tokens) < 6 or shape[0] != "CREATE" or shape[2] not in KINDS or shape[4] != "DEFAULT":
        raise DialectError(f"`{text}`: found a widget's statement that is not whole; {_GRAMMAR}")
    choices = text[tokens[6].end + 1 :].strip() if len(tokens) > 7 and shape[6] == "CHOICES" else ""
    if (shape[2] == "TEXT") != (not choices) or (not choices and len(tokens) > 6):
        raise DialectError(f"`{text}`: only a TEXT widget has no choices; {_GRAMMAR}")
    return WidgetStatement(shape[2], tokens[3].text, tokens[5].text, choices)


def widget_names(text: str) -> Iterator[str]:
    """The widgets that the SQL in *text* reads or makes, without running it."""
    for statement in split_statements(text):
        yield from (name for name, *_ in (*statement.markers, *statement.legacy))
        try:
            made = widget_statement(statement.text)
        except DialectError:
            continue  # it fails when it runs, with its reason
        if made is not None:
            yield made.name
