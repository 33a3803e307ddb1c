"""`dbutils.widgets`: the parameters of a notebook.

A value that the job passed exists before the first cell and wins over every default.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from lakelocal.errors import DbutilsError
from lakelocal.kernel.dbutils.help import HasHelp


class InputWidgetNotDefined(DbutilsError):
    """Raised when a widget is read that neither the job nor the notebook made."""


class Widgets(HasHelp):
    """Parameters of the notebook; all values are strings.

    Args:
        given: what the job passed, or the caller of `dbutils.notebook.run` or `%run`.
    """

    _name = "dbutils.widgets"

    def __init__(self, given: dict[str, str]) -> None:
        self._given = given
        self._values = dict(given)

    def text(self, name: str, defaultValue: str = "", label: str | None = None) -> None:
        """Make a text widget; a value that exists already stays."""
        self._make(name, _text(self._at(name), "defaultValue", defaultValue))

    def dropdown(self, name: str, defaultValue: str, choices: list[str], label: str | None = None) -> None:
        """Make a widget with one of *choices*; the default must be among them."""
        self._choose(name, defaultValue, choices)

    def combobox(self, name: str, defaultValue: str, choices: list[str], label: str | None = None) -> None:
        """Make a widget with one of *choices* or any other text."""
        self._texts(name, choices)
        self._make(name, _text(self._at(name), "defaultValue", defaultValue))

    def multiselect(self, name: str, defaultValue: str, choices: list[str], label: str | None = None) -> None:
        """Make a widget with some of *choices*, read as one text with commas; the default must be among them."""
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
                f'case-sensitive. Pass the parameter, or make the widget with dbutils.widgets.text("{name}", "").'
            ) from None

    def getArgument(self, name: str, defaultValue: str | None = None) -> str:
        """The value of a widget, *defaultValue* where there is none. Deprecated on Databricks: use `get`."""
        if name not in self._values and defaultValue is not None:
            return _text(self._at(name), "defaultValue", defaultValue)
        return self.get(name)

    def getAll(self) -> dict[str, str]:
        """All widgets with their values."""
        return dict(self._values)

    def remove(self, name: str) -> None:
        """Remove a widget; what the job passed stays and comes back when the widget is made again."""
        self._values.pop(name, None)

    def removeAll(self) -> None:
        """Remove all widgets; what the job passed comes back when a widget is made again."""
        self._values.clear()

    @contextmanager
    def overlaid(self, arguments: dict[str, str]) -> Iterator[None]:
        """The widgets with the values of *arguments* over their own, for a notebook run by `%run`."""
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
        texts = self._texts(name, choices)
        if default not in texts:
            legal = ", ".join(f"`{choice}`" for choice in texts)
            raise DbutilsError(
                f"{self._at(name)}: found the default `{default}`; expected one of {legal}. "
                "Add it to the choices, or choose another default."
            )
        self._make(name, default)

    def _texts(self, name: str, choices: list[str]) -> list[str]:
        return [_text(self._at(name), "choices", choice) for choice in choices]

    def _at(self, name: str) -> str:
        return f"dbutils.widgets, `{name}`"


def _text(where: str, what: str, value: object) -> str:
    if isinstance(value, str):
        return value
    raise DbutilsError(
        f"{where}: found {value!r} ({type(value).__name__}) as {what}; expected a string. Write str({value!r})."
    )
