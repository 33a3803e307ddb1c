"""How much output an executed notebook keeps: as much as Databricks keeps, with a note if there was more.

A cell keeps 10 MB (Databricks Runtime 17 and later, serverless environment 3), or what the magic
`%set_cell_max_output_size_in_mb` asks for; a notebook of a job keeps 30 MB. More is cut off. Sizes are in bytes of
UTF-8, for text and data alike. An error is always kept, because it decides the result of the task; its lines are cut to
`ERROR_LENGTH` characters.

Source: Databricks documentation, "Known limitations Databricks notebooks", notebook cell outputs. It does not say what
happens to a job whose notebook exceeds 30 MB; here the task continues.
"""

import json
import re
from typing import Any

MEGABYTE = 1_000_000
CELL_BYTES = 10 * MEGABYTE
NOTEBOOK_BYTES = 30 * MEGABYTE
ASKED_MEGABYTES = range(1, 21)
ERROR_LENGTH = 100_000
_ASKED = re.compile(r"^%set_cell_max_output_size_in_mb +(\d+) *$", re.MULTILINE)

Message = dict[str, Any]


class OutputLimit:
    """Counts the output of a notebook's cells, by their index."""

    def __init__(self, cell: int = CELL_BYTES, notebook: int = NOTEBOOK_BYTES) -> None:
        self.cell = cell
        self.notebook = notebook
        self._used: dict[int, int] = {}
        self._full: set[int] = set()

    def ask(self, source: str) -> None:
        """Let cells keep what the magic in *source* asks for, from this cell on."""
        asked = _ASKED.search(source)
        if asked and int(asked[1]) in ASKED_MEGABYTES:
            self.cell = int(asked[1]) * MEGABYTE

    def clear(self, cell: int) -> None:
        """Reset the count for *cell*, whose output was cleared."""
        self._used.pop(cell, None)
        self._full.discard(cell)

    def fit(self, message: Message, cell: int) -> tuple[Message | None, str]:
        """What to keep of *message*, an output of *cell* (None: nothing), and a note if this is the first cut."""
        kind, content = message["msg_type"], message["content"]
        if kind == "error":
            lines = {"evalue": content["evalue"][:ERROR_LENGTH], "traceback": _shortened(content["traceback"])}
            return {**message, "content": {**content, **lines}}, ""
        if cell in self._full:
            return None, ""
        left = min(self.cell - self._used.get(cell, 0), self.notebook - sum(self._used.values()))
        size = _size(kind, content)
        if size <= left:
            self._used[cell] = self._used.get(cell, 0) + size
            return message, ""
        self._full.add(cell)
        if kind != "stream":
            return None, self._note()
        self._used[cell] = self._used.get(cell, 0) + left
        start = content["text"].encode("utf-8", "replace")[:left].decode("utf-8", "ignore")
        return ({**message, "content": {**content, "text": start}} if start else None), self._note()

    def _note(self) -> str:
        return (
            f"\n[output cut off: more than {self.cell // MEGABYTE} MB in this cell, "
            f"or {self.notebook // MEGABYTE} MB in the notebook; Databricks keeps no more either]\n"
        )


def _size(kind: str, content: Message) -> int:
    if kind == "stream":
        return len(content["text"].encode("utf-8", "replace"))
    return len(json.dumps(content.get("data", {}), ensure_ascii=False, default=str).encode("utf-8", "replace"))


def _shortened(lines: list[str]) -> list[str]:
    return [line[:ERROR_LENGTH] for line in lines]
