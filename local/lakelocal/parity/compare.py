"""The verdicts on tasks and tables, computed from what was read on both sides. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql.types import DataType

from lakelocal.parity.digests import Digest
from lakelocal.parity.outline import Relation
from lakelocal.parity.scope import DiffScope
from lakelocal.parity.search import Differing
from lakelocal.parity.tasks import TaskPicture

TASK, TABLE, VIEW = "task", "table", "view"
ABSENT = "absent"


@dataclass(frozen=True)
class Verdict:
    """A task or a table on both sides, summarised in a word for each side, and the ways in which they differ.

    *same* is None if it could not be compared; *differences* then say why. *ignored* are the columns left out.
    *rows_differ*: the compared columns do not have the same rows; *rows* are some of the rows that differ.
    """

    kind: str
    name: str
    a: str
    b: str
    same: bool | None
    differences: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    rows_differ: bool = False
    rows: Differing | None = None


@dataclass(frozen=True)
class Comparison:
    """All verdicts: tasks first, then tables and views by name."""

    verdicts: tuple[Verdict, ...]

    @property
    def equal(self) -> bool:
        """Is everything that could be compared the same?"""
        return not any(verdict.same is False for verdict in self.verdicts)

    def of(self, *kinds: str) -> list[Verdict]:
        """The verdicts on objects of *kinds*."""
        return [verdict for verdict in self.verdicts if verdict.kind in kinds]


def compare_tasks(a: Mapping[str, TaskPicture], b: Mapping[str, TaskPicture]) -> list[Verdict]:
    """One verdict for each task of either run, in the order of *a*."""
    return [_compare_task(path, a.get(path), b.get(path)) for path in dict.fromkeys([*a, *b])]


def _compare_task(path: str, a: TaskPicture | None, b: TaskPicture | None) -> Verdict:
    differences = []
    if a is None or b is None:
        differences.append(f"only {'A' if b is None else 'B'} has this task")
    else:
        if a.result != b.result:
            differences.append(f"result: A {a.result}, B {b.result}")
        if a.attempts != b.attempts:
            differences.append(f"attempts: A {a.attempts}, B {b.attempts}")
        if a.output != b.output:
            differences.append(f"notebook result: A {_shown(a.output)}, B {_shown(b.output)}")
    return Verdict(TASK, path, str(a or ABSENT), str(b or ABSENT), not differences, tuple(differences))


def shared_columns(a: Relation, b: Relation, scope: DiffScope) -> dict[str, DataType]:
    """The columns whose values are compared: both sides have them with the same type, and *scope* includes them."""
    return {
        name: kind
        for name, kind in a.columns.items()
        if name in b.columns and _type(b.columns[name]) == _type(kind) and not scope.ignores(a.name, name)
    }


def compare_relations(
    a: Relation | None, b: Relation | None, digests: tuple[Digest | str, Digest | str] | None, scope: DiffScope
) -> Verdict:
    """The verdict on one table or view; a side that does not have it is None.

    *digests* are those of the `shared_columns`, or a text if the rows cannot be read; None if they were not computed.
    """
    here = a or b
    assert here is not None
    if a is None or b is None:
        word = VIEW if here.is_view else TABLE
        only = f"only {'A' if b is None else 'B'} has this {word}"
        return Verdict(
            word, here.name, ABSENT if a is None else "there", ABSENT if b is None else "there", False, (only,)
        )
    kind = VIEW if a.is_view and b.is_view else TABLE
    if a.hidden or b.hidden:
        reasons = [f"{each.hidden} ({side})" for side, each in (("A", a), ("B", b)) if each.hidden]
        return Verdict(kind, a.name, _unknown(a), _unknown(b), None, tuple(reasons))
    digest_a, digest_b = digests or (a.problem, b.problem)
    differences = [*_kinds(a, b), *_problems(digest_a, digest_b)]
    rows_differ = False
    if isinstance(digest_a, Digest) and isinstance(digest_b, Digest):
        differences += _schemas(a, b, scope)
        rows_differ = digest_a != digest_b
        if digest_a.rows != digest_b.rows:
            differences.append(f"rows: A {digest_a.rows:,}, B {digest_b.rows:,}")
        elif rows_differ:
            differences.append("same number of rows, different values")
    ignored = tuple(name for name in dict.fromkeys([*a.columns, *b.columns]) if scope.ignores(a.name, name))
    return Verdict(
        kind, a.name, _rows(digest_a), _rows(digest_b), not differences, tuple(differences), ignored, rows_differ
    )


def _kinds(a: Relation, b: Relation) -> list[str]:
    if a.is_view == b.is_view:
        return []
    return [f"A is a {VIEW if a.is_view else TABLE}, B is a {VIEW if b.is_view else TABLE}"]


def _problems(a: Digest | str, b: Digest | str) -> list[str]:
    return [f"{side} cannot be read: {each}" for side, each in (("A", a), ("B", b)) if isinstance(each, str) and each]


def _schemas(a: Relation, b: Relation, scope: DiffScope) -> list[str]:
    """One line for each column that one side lacks, or has with a different type."""
    lines = []
    for name in dict.fromkeys([*a.columns, *b.columns]):
        if scope.ignores(a.name, name):
            continue
        type_a, type_b = _type(a.columns.get(name)), _type(b.columns.get(name))
        if not type_a or not type_b:
            lines.append(f"column `{name}`: only {'A' if type_a else 'B'} has it ({type_a or type_b})")
        elif type_a != type_b:
            lines.append(f"column `{name}`: A {type_a}, B {type_b}; its values were not compared")
    return lines


def _type(kind: DataType | None) -> str:
    return kind.simpleString() if kind else ""


def _rows(digest: Digest | str) -> str:
    if isinstance(digest, Digest):
        return f"{digest.rows:,} row{'s' * (digest.rows != 1)}"
    return "not readable" if digest else "not read"


def _unknown(relation: Relation) -> str:
    return "not known" if relation.hidden else "there"


def _shown(output: str | None) -> str:
    return "none" if output is None else f"`{output[:200]}`"
