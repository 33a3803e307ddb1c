"""`CREATE WIDGET` and `REMOVE WIDGET`, the statements with which SQL notebooks create and remove parameters.

    CREATE WIDGET TEXT day DEFAULT '2026-01-31'
    CREATE WIDGET DROPDOWN state DEFAULT 'CA' CHOICES SELECT * FROM (VALUES ('CA'), ('IL'))
    REMOVE WIDGET day

Source: Databricks documentation, "Databricks widgets", the SQL form of each example.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lakelocal.errors import DialectError
from lakelocal.sql.tokens import tokenize

KINDS = ("TEXT", "DROPDOWN", "COMBOBOX", "MULTISELECT")
_GRAMMAR = (
    f"expected `CREATE WIDGET {'|'.join(KINDS)} name DEFAULT 'value' [CHOICES query]` or `REMOVE WIDGET name`. "
    "Correct the statement."
)


@dataclass(frozen=True)
class WidgetStatement:
    """A widget statement; *kind* is `REMOVE` or one of `KINDS`, *choices* a query whose first column they are."""

    kind: str
    name: str
    default: str = ""
    choices: str = ""

    def apply(self, widgets: Any, choices_of: Callable[[str], list[str]]) -> None:
        """Apply the statement to `dbutils.widgets`; *choices_of* runs a query."""
        if self.kind == "REMOVE":
            widgets.remove(self.name)
        elif self.kind == "TEXT":
            widgets.text(self.name, self.default)
        else:
            getattr(widgets, self.kind.lower())(self.name, self.default, choices_of(self.choices))


def widget_statement(text: str) -> WidgetStatement | None:
    """The widget statement in *text*; None if it is another statement.

    Raises:
        DialectError: it begins like a widget statement, but the rest does not follow the grammar.
    """
    tokens = tokenize(text) or ()
    shape = [token.word for token in tokens]
    words = shape[:2]
    if words == ["REMOVE", "WIDGET"] and len(tokens) == 3:
        return WidgetStatement("REMOVE", tokens[2].text)
    if words not in (["CREATE", "WIDGET"], ["REMOVE", "WIDGET"]):
        return None
    if len(tokens) < 6 or shape[0] != "CREATE" or shape[2] not in KINDS or shape[4] != "DEFAULT":
        raise DialectError(f"`{text}`: found an incomplete widget statement; {_GRAMMAR}")
    choices = text[tokens[6].end :].strip() if len(tokens) > 7 and shape[6] == "CHOICES" else ""
    if (shape[2] == "TEXT") != (not choices) or (not choices and len(tokens) > 6):
        raise DialectError(f"`{text}`: only a TEXT widget has no choices; {_GRAMMAR}")
    return WidgetStatement(shape[2], tokens[3].text, tokens[5].text, choices)
