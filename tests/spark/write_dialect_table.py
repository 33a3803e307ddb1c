"""Write the table of the dialect into local/README.md: `python tests/spark/write_dialect_table.py`."""

from pathlib import Path

from dialect_cases import table

README = Path(__file__).parents[2] / "local" / "README.md"
START, END = "<!-- dialect table: made by tests/spark/write_dialect_table.py -->\n", "<!-- end of the dialect table -->"


def with_table(text: str) -> str:
    """*text* with the table of today between its markers."""
    head, rest = text.split(START, 1)
    return head + START + "\n" + table() + "\n" + END + rest.split(END, 1)[1]


if __name__ == "__main__":
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
