"""One thing that `validate` found, and its words."""

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from local.bundle.documents import Table
from local.bundle.mistakes import Mistake
from local.validate.rules import RULES, action, severity

_EXPECTED = re.compile(r"[;,] expected ")
_SENTENCE = re.compile(r"\. (?=[A-Z-])")


@dataclass(frozen=True, order=True)
class Finding:
    """A broken rule: *where* is `file:line` (empty for the bundle as a whole), *action* says what to do."""

    where: str
    job: str
    task: str
    rule: str
    found: str
    expected: str
    action: str

    @property
    def severity(self) -> str:
        """`error` or `warning`."""
        return severity(self.rule)

    @property
    def message(self) -> str:
        """The whole finding as one text, without its place."""
        expected = f"; expected {self.expected}" if self.expected else ""
        return f"found {self.found}{expected}. {self.action}".strip()

    def as_json(self) -> dict[str, Any]:
        """The finding as JSON has it; `file` and `line` apart."""
        file, _, line = self.where.rpartition(":")
        place = {"file": file, "line": int(line)} if line.isdigit() else {"file": self.where, "line": None}
        rest = {name: value for name, value in asdict(self).items() if name != "where"}
        return {"severity": self.severity, **place, **rest}


def of_mistake(mistake: Mistake) -> Finding:
    """The finding of a *mistake*; where its message does not say what was expected, its rule does."""
    found, expected, what_to_do = words_of(mistake.message, otherwise=action(mistake.rule))
    expected = expected or f"that {RULES[mistake.rule][1]}"
    return Finding(mistake.where, mistake.job, mistake.task, mistake.rule, found, expected, what_to_do)


def words_of(message: str, *, otherwise: str) -> tuple[str, str, str]:
    """What was found, what was expected and what to do, of a *message* "found ...; expected .... Do this."."""
    sentences = _SENTENCE.split(message.rstrip("."))
    what_to_do = f"{sentences.pop()}." if len(sentences) > 1 else otherwise
    found, _, expected = _parted(". ".join(sentences))
    return found.removeprefix("found "), expected, what_to_do


def _parted(text: str) -> tuple[str, str, str]:
    split = _EXPECTED.search(text)
    return (text[: split.start()], split[0], text[split.end() :]) if split else (text, "", "")


def place_of(source: Any, path: tuple[str | int, ...], otherwise: tuple[Path, int]) -> tuple[Path, int]:
    """File and line of the field *path* below *source*; of the nearest thing around it that has a place.

    The value of a complex variable has no place of its own.
    """
    place = source.place if isinstance(source, Table) else otherwise
    for step in path:
        if isinstance(source, Table) and step in source.places:
            place = source.places[step]
        inside = isinstance(source, dict) and step in source
        inside = inside or (isinstance(source, list) and isinstance(step, int) and step < len(source))
        if not inside:
            return place
        source = source[step]
        if isinstance(source, Table) and isinstance(step, int):
            place = source.place
    return place
