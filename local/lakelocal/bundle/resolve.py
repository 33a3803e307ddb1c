"""Replaces references by the values that they name, in rounds, since such a value may contain references itself.

Source: Databricks CLI 1.13, `libs/dyn/dynvar/resolve.go` and `bundle/config/mutator/resolve_variable_references.go`:
a text that is a single reference becomes the value as it is, which keeps its places; in a longer text, only single
values can be inserted. After eleven rounds, or if the values have grown too large, what is left stays as it is written.
"""

from collections.abc import Callable
from typing import Any

from lakelocal.bundle.documents import in_words, is_larger
from lakelocal.bundle.merge import map_texts
from lakelocal.bundle.references import only_reference, references_in, replace_references
from lakelocal.lakeflow.field_values import interpolated
from lakelocal.lakeflow.findings import Finding, FindingError, Findings, Place

ROUNDS = 11
LARGEST = 100_000  # values inside one value; only references in a cycle make so many

UNRESOLVED = object()
"""What a lookup returns for a reference that stays as it is written."""

Lookup = Callable[[str], Any]
"""Returns the value for the path of a reference; raises LookupError, with what was expected, if there is none."""


class Resolver:
    """Replaces the references in the fields of the job *job* (or of no job) by the values that *lookup* returns.

    A text that cannot be resolved stays as it is, and is added to *findings* once.
    """

    def __init__(self, lookup: Lookup, findings: Findings, job: str = "") -> None:
        self.lookup = lookup
        self.findings = findings
        self.job = job
        self._open: list[str] = []
        self._wrong: set[tuple[str, Place]] = set()
        self._changed = False

    def __call__(self, value: Any, place: Place) -> Any:
        """*value*, which is written at *place*, with its references resolved at any depth."""
        for _ in range(ROUNDS):
            self._changed = False
            value = map_texts(value, self._resolved, place)
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
        """*text* with its references replaced; if it is a single reference, the value of that, of whatever type."""
        if path := only_reference(text):
            value = self._value(path, place)
            return text if value is UNRESOLVED else value
        return replace_references(text, lambda path: self._inside_text(path, place))

    def _inside_text(self, path: str, place: Place) -> str | None:
        value = self._value(path, place)
        if value is UNRESOLVED:
            return None
        if isinstance(value, (dict, list)):
            found = f"`${{{path}}}`, which is {in_words(value)}, inside a longer text"
            raise self._error(place, found, "a reference to a single value", "Use the reference as the whole value.")
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
