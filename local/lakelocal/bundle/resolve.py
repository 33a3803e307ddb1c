"""References replaced by what they name, in rounds: a value that a round puts in may hold references itself.

Source: Databricks CLI 1.13, `libs/dyn/dynvar/resolve.go` and `bundle/config/mutator/resolve_variable_references.go`:
a text that is one reference takes the value as it is, with the places of its inside; within a text only single values
fit. After eleven rounds what is left stays as it is written; so it does where values have grown beyond reason.
"""

from collections.abc import Callable
from typing import Any

from lakelocal.bundle.documents import in_words, is_larger
from lakelocal.bundle.merge import mapped
from lakelocal.bundle.references import only_reference, references_in, replaced
from lakelocal.lakeflow.field_values import interpolated
from lakelocal.lakeflow.findings import Finding, FindingError, Findings, Place

ROUNDS = 11
LARGEST = 100_000  # values in one; only references in a cycle make so many

LEFT = object()
"""What a lookup gives for a reference that stays as it is written."""

Lookup = Callable[[str], Any]
"""From the path of a reference to its value; LookupError with what was expected where it names nothing."""


class Resolver:
    """Replaces the references in the fields of the job *job* (or of no job) by what *lookup* gives.

    A text that cannot be resolved stays, and joins *findings* once.
    """

    def __init__(self, lookup: Lookup, findings: Findings, job: str = "") -> None:
        self.lookup = lookup
        self.findings = findings
        self.job = job
        self._open: list[str] = []
        self._wrong: set[tuple[str, Place]] = set()
        self._changed = False

    def __call__(self, value: Any, place: Place) -> Any:
        """*value*, which is written at *place*, resolved at any depth."""
        for _ in range(ROUNDS):
            self._changed = False
            value = mapped(value, self._resolved, place)
            if not self._changed:
                return value
            if is_larger(value, LARGEST):
                break
        found = f"references that refer to each other more than {ROUNDS} levels deep"
        where = self.findings.at(place, job=self.job)
        self.findings.add("reference-depth", found, "fewer", "Give some of them a value without a reference.", where)
        return value

    def _resolved(self, text: str, place: Place) -> Any:
        if "${" not in text or (text, place) in self._wrong:
            return text
        try:
            resolved = self._text(text, place)
        except FindingError as error:
            self.findings += error.findings
            self._wrong.add((text, place))
            return text
        self._changed = self._changed or (resolved is not text and resolved != text)
        return resolved

    def _text(self, text: str, place: Place) -> Any:
        """*text* with its references replaced; what it is the only reference to, as it is."""
        if path := only_reference(text):
            value = self._value(path, place)
            return text if value is LEFT else value
        return replaced(text, lambda path: self._inside_text(path, place))

    def _inside_text(self, path: str, place: Place) -> str | None:
        value = self._value(path, place)
        if value is LEFT:
            return None
        if isinstance(value, (dict, list)):
            found = f"`${{{path}}}` inside a text, {in_words(value)}"
            raise self._error(place, found, "a single value", "Give the reference a text of its own.")
        return interpolated(value)

    def _value(self, path: str, place: Place) -> Any:
        if path in self._open:
            found = f"a cycle of references: {' -> '.join([*self._open, path])}"
            raise self._error(place, found, "none", "Give one of them a value without a reference.")
        try:
            value = self.lookup(path)
        except LookupError as error:
            raise self._error(place, f"`${{{path}}}`", error.args[0], "Correct the name.") from error
        if not isinstance(value, str) or not any(references_in(value)):
            return value
        self._open.append(path)
        try:
            return self._text(value, place)
        finally:
            self._open.pop()

    def _error(self, place: Place, found: str, expected: str, action: str) -> FindingError:
        where = self.findings.at(place, job=self.job)
        return FindingError(Finding(where, "variable-reference", found, expected, action))
