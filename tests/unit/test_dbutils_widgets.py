"""`dbutils.widgets`: values, defaults, and what the job passed."""

import pytest

from lakelocal.errors import DbutilsError
from lakelocal.kernel.dbutils.widgets import InputWidgetNotDefined, Widgets


def test_a_passed_value_exists_before_any_widget_is_made():
    """Databricks sets job parameters before the first cell."""
    assert Widgets({"run_date": "2018-01-01"}).get("run_date") == "2018-01-01"


@pytest.mark.parametrize("make", ["text", "combobox", "dropdown", "multiselect"])
def test_a_passed_value_wins_over_the_default(make):
    """The default is for interactive work only."""
    widgets = Widgets({"mode": "full"})

    more = () if make == "text" else (["incremental", "full"],)
    getattr(widgets, make)("mode", "incremental", *more)

    assert widgets.get("mode") == "full"


def test_a_second_declaration_keeps_the_value():
    """Cells are run again in interactive work."""
    widgets = Widgets({})
    widgets.text("n", "1")
    widgets.text("n", "2")

    assert widgets.getAll() == {"n": "1"}


def test_names_are_case_sensitive_and_a_missing_one_is_named_with_the_known():
    """The error is the help."""
    widgets = Widgets({"Catalog": "c"})
    widgets.text("scale", "1")

    with pytest.raises(InputWidgetNotDefined) as caught:
        widgets.get("catalog")

    assert "No input widget named catalog is defined; defined: `Catalog`, `scale`" in str(caught.value)


def test_get_argument_falls_back_to_its_default():
    """The old command takes a default, `get` does not."""
    widgets = Widgets({"a": "1"})

    assert (widgets.getArgument("a", "x"), widgets.getArgument("b", "x")) == ("1", "x")
    with pytest.raises(InputWidgetNotDefined):
        widgets.getArgument("b")


@pytest.mark.parametrize("make", ["dropdown", "multiselect"])
def test_a_default_outside_the_choices_is_refused(make):
    """Databricks refuses it too; a combobox accepts any text."""
    with pytest.raises(DbutilsError, match="`daily`; expected one of `full`, `incremental`"):
        getattr(Widgets({}), make)("mode", "daily", ["full", "incremental"])

    widgets = Widgets({})
    widgets.combobox("mode", "daily", ["full"])
    assert widgets.get("mode") == "daily"


def test_values_that_are_no_strings_are_refused():
    """All widget values are strings; a number would come back as another type on Databricks."""
    with pytest.raises(DbutilsError, match="found 1 \\(int\\)"):
        Widgets({}).text("n", 1)


def test_removed_widgets_are_gone_until_made_again():
    """A job's value returns with the widget."""
    widgets = Widgets({"a": "job"})
    widgets.text("b", "2")
    widgets.remove("a")
    assert widgets.getAll() == {"b": "2"}

    widgets.removeAll()
    widgets.text("a", "default")

    assert widgets.getAll() == {"a": "job"}


def test_an_overlay_ends_with_its_notebook():
    """`%run ./x $a="1"` sets the widget for that notebook only."""
    widgets = Widgets({"a": "job"})
    with widgets.overlaid({"a": "run", "b": "run"}):
        widgets.text("b", "default")
        assert widgets.getAll() == {"a": "run", "b": "run"}

    assert widgets.getAll() == {"a": "job"}


def test_help_lists_the_commands(capsys):
    """One line per command, and nothing internal."""
    Widgets({}).help()
    said = capsys.readouterr().out

    assert "  text(name: str, defaultValue: str = ''" in said
    assert "overlaid" not in said


def test_unknown_commands_are_refused_by_name():
    """One clear line instead of an AttributeError."""
    with pytest.raises(DbutilsError, match=r"`dbutils\.widgets\.slider`: no such command; the commands are `combobox`"):
        Widgets({}).slider("x")
