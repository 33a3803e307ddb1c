"""What a waiting process is told, and that it reads no more than that from its input."""

import os
import sys
from pathlib import Path

import pytest

from lakelocal.order import Order, leave_folder, read_line

ORDER = Order("/o.ipynb", log="/l", mark="/c.json", environment={"NAME": 'é "x"\n'})


def test_an_order_is_one_line() -> None:
    """Whatever its values contain: the reader stops at the first line break."""
    assert ORDER.line.count(b"\n") == 1
    assert Order.of(ORDER.line) == ORDER


def test_a_line_is_read_and_nothing_behind_it() -> None:
    """What follows is the lifeline to the runner; the end of the input yields nothing."""
    reader, writer = os.pipe()
    os.write(writer, ORDER.line + b"rest")
    os.close(writer)

    assert Order.of(read_line(reader)) == ORDER
    assert os.read(reader, 10) == b"rest"
    assert read_line(reader) == b""
    os.close(reader)


def test_the_runners_folder_is_no_place_for_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m` puts it first; a notebook imports from its own folder."""
    monkeypatch.chdir(tmp_path)
    for first in (str(tmp_path), ""):
        monkeypatch.setattr(sys, "path", [first, "/library"])
        leave_folder()
        assert sys.path == ["/library"]
    leave_folder()
    assert sys.path == ["/library"]
