"""The note of an error: the line of the user that raised it, and the values that this line worked with."""

import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from lakelocal.kernel.raised import add_notes, note

Load = Callable[[str], ModuleType]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Write a module of the user and import it, as a cell does."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(text: str) -> ModuleType:
        name = f"shop_{len(list(tmp_path.iterdir()))}"
        (tmp_path / f"{name}.py").write_text(text)
        return __import__(name)

    yield write
    for name in [name for name in sys.modules if name.startswith("shop_")]:
        del sys.modules[name]


def note_of(call: Callable[[], object]) -> str:
    """The note of the error that *call* raises, without the frame of this function."""
    try:
        call()
    except Exception as error:
        assert error.__traceback__ is not None
        return note(error.__traceback__.tb_next)
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("day = '2024-13-01'; return datetime.date.fromisoformat(day)", "day = '2024-13-01'"),
        ("part, whole = 3, 0; return part / whole", "part = 3, whole = 0"),
        ("row = None; return row['amount']", "row = None"),
        ("rows = list(range(9)); return rows[12]", "rows has 9 entries"),
        ("rows = []; return rows[0]", "rows = []"),
        ("sizes = dict.fromkeys('abcdef', 1); return sizes['z']", "sizes has the keys 'a', 'b', 'c', 'd' and 2 more"),
        ("frame = pandas.DataFrame({'order_id': [1]}); return frame['amount']", "frame has the columns 'order_id'"),
        ("text = 'x' * 500; return float(text)", f"text = 'x{'x' * 57}…"),
        ("late, allowed = 2, 1; assert late <= allowed", "late = 2, allowed = 1"),
        ("day, counts = 'tuesday', []; print(day, 1 / len(counts))", "counts = [], day = 'tuesday'"),
    ],
)
def test_the_values_of_the_line_are_told(load: Load, body: str, told: str) -> None:
    """Those in the failed expression come first, then the others of its line; of large collections what they hold."""
    module = load(f"import datetime\nimport pandas\ndef check(): {body}\n")

    said = note_of(module.check)

    assert said.startswith("raised in `")
    assert said.endswith(f"` (line 3 of {Path(module.__file__ or '').name}) where {told}")


def test_the_line_is_that_of_the_user(load: Load) -> None:
    """Not one of a library that the user's code calls; the line that called the module is told by the cell anyway."""
    module = load("import json\n\ndef parse(text):\n    return json.loads(text)\n")
    calling = load(f"from {module.__name__} import parse\n\ndef read():\n    parse('{{')\n")

    assert "in `return json.loads(text)` (line 4 of " in note_of(calling.read)
    with pytest.raises(json.JSONDecodeError):
        calling.read()


@pytest.mark.parametrize(
    "body", ["raise ValueError('3 orders are late')", "assert 1 > 2, 'late'", "raise ValueError(\n        'late')"]
)
def test_what_a_person_wrote_needs_no_note(load: Load, body: str) -> None:
    """The message says what is wrong."""
    assert note_of(load(f"def check():\n    {body}\n").check) == ""


def test_an_expression_of_several_lines_is_told_on_one(load: Load) -> None:
    """Without the lines around it."""
    module = load(
        "def total(rows):\n    return max(\n        1,\n        sum(\n            rows,\n            'a',\n        ))"
    )

    assert "in `sum( rows, 'a', )` (line 4 of" in note_of(lambda: module.total([1]))


def test_secrets_are_not_told(load: Load) -> None:
    """A reason is sent by e-mail: neither variables that sound like a secret, nor collections that hold one."""
    module = load("def login(user, api_token, settings, url):\n    return [user, settings, url][api_token]\n")

    said = note_of(lambda: module.login("ana", "abc123", {"password": "xyz789"}, "jdbc://ana:xyz789@shop/orders"))

    assert said.endswith("where user = 'ana', settings has the keys 'password', url = 'jdbc://…@shop/orders'")


def test_an_error_has_its_note_once(load: Load) -> None:
    """A person may raise the same error again, in another cell."""
    module = load("def share(whole):\n    return 1 / whole\n")
    shown = []
    shell = SimpleNamespace(_get_exc_info=lambda given: sys.exc_info(), showtraceback=shown.append)
    add_notes(shell)  # type: ignore[arg-type]  # it has what is used of a shell

    with pytest.raises(ZeroDivisionError) as caught:
        try:
            module.share(0)
        except ZeroDivisionError:
            shell.showtraceback(None)
            shell.showtraceback(None)
            raise
    assert len(caught.value.__notes__) == 1
    assert shown == [None, None]


def test_a_group_is_shown_as_an_error_with_what_it_holds(load: Load) -> None:
    """IPython would print it only; the name of the class, the message and the lines go to the notebook."""
    module = load("def fail():\n    raise ExceptionGroup('2 of 3', [ValueError('no file'), KeyError('Recife')])\n")
    shown = []
    shell = SimpleNamespace(
        _get_exc_info=lambda given: sys.exc_info(),
        showtraceback=None,
        _showtraceback=lambda kind, error, lines: shown.append((kind, str(error), "".join(lines))),
    )
    add_notes(shell)  # type: ignore[arg-type]  # it has what is used of a shell

    try:
        module.fail()
    except ExceptionGroup:
        shell.showtraceback()

    ((kind, message, lines),) = shown
    assert (kind, message) == (ExceptionGroup, "2 of 3 (2 sub-exceptions): ValueError: no file; KeyError: 'Recife'")
    assert "ValueError: no file" in lines


def test_a_package_that_was_installed_is_a_library(tmp_path: Path, load: Load) -> None:
    """Its line is told only where no other code of the user is, as in the task of a wheel."""
    installed = load("def parse(text):\n    return float(text)\n")
    tmp_path.joinpath("shop-1.0.dist-info").mkdir()
    notebook = tmp_path / "a" / "b" / "c" / "d" / "notebook.py"
    notebook.parent.mkdir(parents=True)
    notebook.write_text("parse(text)\n")
    code = compile(notebook.read_text(), str(notebook), "exec")

    assert "in `return float(text)` (line 2 of" in note_of(partial(installed.parse, "ten"))
    assert note_of(partial(exec, code, {"parse": installed.parse, "text": "ten"})) == (
        "raised in `parse(text)` (line 1 of notebook.py) where text = 'ten'"
    )
