"""`dbutils.widgets`: the parameters of a notebook.

A value that the job passes exists before the first cell, and takes precedence over every default.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from lakelocal.errors import DbutilsError
from lakelocal.kernel.dbutils.help import HasHelp


class InputWidgetNotDefined(DbutilsError):
    """Raised when a widget is read that neither the job nor the notebook has created."""


class Widgets(HasHelp):
    """Parameters of the notebook; all values are strings.

    Args:
        given: The values that were passed by the job, `dbutils.notebook.run` or `%run`.
    """

    _name = "dbutils.widgets"

    def __init__(self, given: dict[str, str]) -> None:
        self._given = given
        self._values = dict(given)

    def text(self, name: str, defaultValue: str = "", label: str | None = None) -> None:
        """Create a text widget; a value that exists already is kept."""
        self._make(name, _text(self._at(name), "defaultValue", defaultValue))

    def dropdown(self, name: str, defaultValue: str, choices: list[str], label: str | None = None) -> None:
        """Create a widget with one of *choices*, which must include the default."""
        self._choose(name, defaultValue, choices)

    def combobox(self, name: str, defaultValue: str, choices: list[str], label: str | None = None) -> None:
        """Create a widget with one of *choices*, or any other text."""
        self._checked_texts(name, choices)
        self._make(name, _text(self._at(name), "defaultValue", defaultValue))

    def multiselect(self, name: str, defaultValue: str, choices: list[str], label: str | None = None) -> None:
        """Create a widget with some of *choices*, which must include the default; its value has commas between them."""
        self._choose(name, defaultValue, choices)

    def get(self, name: str) -> str:
        """The value of a widget."""
        try:
            return self._values[name]
        except KeyError:
            known = ", ".join(f"`{known}`" for known in sorted(self._values)) or "none"
            raise InputWidgetNotDefined(
                f"com.databricks.dbutils_v1.InputWidgetNotDefined: No input widget named {name} is defined; "
                f"defined: {known}. Names are "
                f'case-sensitive. Pass the parameter, or create the widget with dbutils.widgets.text("{name}", "").'
            ) from None

    def getArgument(self, name: str, defaultValue: str | None = None) -> str:
        """The value of a widget, or *defaultValue* if there is no such widget. Deprecated on Databricks: use `get`."""
        if name not in self._values and defaultValue is not None:
            return _text(self._at(name), "defaultValue", defaultValue)
        return self.get(name)

    def getAll(self) -> dict[str, str]:
        """All widgets with their values."""
        return dict(self._values)

    def remove(self, name: str) -> None:
        """Remove a widget; if it is created again, it has the value that the job passed."""
        self._values.pop(name, None)

    def removeAll(self) -> None:
        """Remove all widgets; one that is created again has the value that the job passed."""
        self._values.clear()

    @contextmanager
    def overlaid(self, arguments: dict[str, str]) -> Iterator[None]:
        """Let *arguments* temporarily hide the widgets' own values, for a notebook that is run by `%run`."""
        given, values = dict(self._given), dict(self._values)
        self._given.update(arguments)
        self._values.update(arguments)
        try:
            yield
        finally:
            for name in arguments:
                for now, before in ((self._given, given), (self._values, values)):
                    now.pop(name, None)
                    if name in before:
                        now[name] = before[name]

    def _make(self, name: str, default: str) -> None:
        self._values.setdefault(_text("dbutils.widgets", "name", name), self._given.get(name, default))

    def _choose(self, name: str, default: str, choices: list[str]) -> None:
        texts = self._checked_texts(name, choices)
        if default not in texts:
            legal = ", ".join(f"`{choice}`" for choice in texts)
            raise DbutilsError(
                f"{self._at(name)}: found the default `{default}`; expected one of {legal}. "
                "Add it to the choices, or choose another default."
            )
        self._make(name, default)

    def _checked_texts(self, name: str, choices: list[str]) -> list[str]:
        return [_text(self._at(name), "choices", choice) for choice in choices]

    def _at(self, name: str) -> str:
        return f"dbutils.widgets, `{name}`"


def _text(where: str, field: str, value: object) -> str:
    if isinstance(value, str):
        return value
    raise DbutilsError(
        f"{where}: found {value!r} ({type(value).__name__}) as {field}; expected a string. Write str({value!r})."
    )
