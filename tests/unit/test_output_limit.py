"""What is kept of a cell's output; see `lakelocal.attempt.outputs`."""

import pytest

from lakelocal.attempt.outputs import ERROR_LENGTH, OutputLimit


def stream(text: str) -> dict:
    return {"msg_type": "stream", "content": {"name": "stdout", "text": text}}


def data(text: str) -> dict:
    return {"msg_type": "display_data", "content": {"data": {"text/plain": text}, "metadata": {}}}


def kept(limit: OutputLimit, message: dict, cell: int = 0) -> tuple[str | None, bool]:
    """The text that is kept (None: nothing of the message), and whether it comes with a note."""
    fitting, note = limit.fit(message, cell)
    return fitting and fitting["content"].get("text"), bool(note)


def test_text_is_cut_where_the_cell_is_full_and_noted_once() -> None:
    limit = OutputLimit(cell=10, notebook=100)

    assert kept(limit, stream("12345678")) == ("12345678", False)
    assert kept(limit, stream("90abc")) == ("90", True)
    assert kept(limit, stream("more")) == (None, False)


def test_each_cell_has_its_own_room_within_that_of_the_notebook() -> None:
    limit = OutputLimit(cell=10, notebook=15)

    assert kept(limit, stream("1234567890"), cell=0) == ("1234567890", False)
    assert kept(limit, stream("1234567890"), cell=1) == ("12345", True)
    assert kept(limit, stream("1"), cell=2) == (None, True)


def test_data_that_does_not_fit_is_left_out_whole() -> None:
    """Half a picture or half a table is useless."""
    limit = OutputLimit(cell=40, notebook=100)

    assert limit.fit(data("x" * 10), 0) == (data("x" * 10), "")
    fitting, note = limit.fit(data("x" * 30), 0)
    assert fitting is None
    assert "more than" in note


@pytest.mark.parametrize(("text", "start"), [("ããã", "ã"), ("€€", "€"), ("\U0001f600", None)])
def test_a_letter_is_never_cut(text: str, start: str | None) -> None:
    """The limit counts bytes: three here, for letters with two, three and four."""
    assert kept(OutputLimit(cell=3, notebook=100), stream(text)) == (start, True)


def test_an_emptied_cell_has_its_room_again() -> None:
    """A progress bar clears its output again and again."""
    limit = OutputLimit(cell=5, notebook=100)
    kept(limit, stream("123456"))

    limit.clear(0)

    assert kept(limit, stream("12345")) == ("12345", False)


@pytest.mark.parametrize(
    ("source", "kept_bytes"),
    [
        ("%set_cell_max_output_size_in_mb 1", 1_000_000),
        ("# more, please\n%set_cell_max_output_size_in_mb  20\nprint(1)", 20_000_000),
        ("%set_cell_max_output_size_in_mb 21", 10_000_000),
        ("text = '%set_cell_max_output_size_in_mb 1'", 10_000_000),
    ],
)
def test_a_cell_asks_for_another_limit(source: str, kept_bytes: int) -> None:
    """Between 1 and 20 MB; the magic itself refuses another number."""
    limit = OutputLimit()

    limit.ask(source)

    text, noted = kept(limit, stream("x" * 25_000_000))
    assert (len(text), noted) == (kept_bytes, True)


def test_an_error_is_kept_also_in_a_full_cell() -> None:
    """papermill reads the result of the notebook from it; a huge one is cut."""
    limit = OutputLimit(cell=1, notebook=1)
    kept(limit, stream("12"))
    error = {
        "ename": "ValueError",
        "evalue": "v" * (ERROR_LENGTH + 1),
        "traceback": ["short", "t" * (ERROR_LENGTH + 1)],
    }

    fitting, note = limit.fit({"msg_type": "error", "content": error}, 0)

    assert note == ""
    assert fitting["content"] == {
        "ename": "ValueError",
        "evalue": "v" * ERROR_LENGTH,
        "traceback": ["short", "t" * ERROR_LENGTH],
    }
