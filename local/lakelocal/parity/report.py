"""A comparison for people: a table of everything, then what differs, what was left out, and the conclusion."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lakelocal.history.recorded import utc
from lakelocal.lakeflow.results import colour_of
from lakelocal.parity.compare import ABSENT, TABLE, TASK, VIEW, Comparison, Verdict
from lakelocal.parity.pairs import shown_pairs, telling_columns
from lakelocal.parity.scope import RULE, DiffScope
from lakelocal.parity.search import Differing, Row
from lakelocal.parity.sides import Side

COLUMNS = 8  # shown for rows that differ; --json has all of them
_SAME = {True: ("yes", "green"), False: ("no", "bold red"), None: ("not compared", "yellow")}


def print_report(a: Side, b: Side, comparison: Comparison, scope: DiffScope, *, rows: int, console: Console) -> None:
    """Print all of *comparison*, with at most *rows* rows per side of each table that differs."""
    console.print(_sides_table(a, b))
    console.print()
    console.print(_verdicts_table(comparison.verdicts))
    for verdict in comparison.verdicts:
        if verdict.same is False and ABSENT not in (verdict.a, verdict.b):
            _print_difference(verdict, rows, console)
    for line in ["", *not_compared(comparison), *left_out(comparison, scope), "", conclusion(comparison)]:
        console.print(Text(line), soft_wrap=True)


def as_json(a: Side, b: Side, comparison: Comparison, scope: DiffScope, *, rows: int) -> dict[str, Any]:
    """The comparison as `--json` prints it; `times`: how many more times that side has the row."""
    return {
        "equal": comparison.equal,
        "a": _side_json(a),
        "b": _side_json(b),
        "scope": asdict(scope),
        "verdicts": [_verdict_json(verdict, rows) for verdict in comparison.verdicts],
    }


def not_compared(comparison: Comparison) -> list[str]:
    """What could not be compared, one line per reason."""
    reasons: dict[tuple[str, ...], list[str]] = {}
    for verdict in comparison.verdicts:
        if verdict.same is None:
            reasons.setdefault(verdict.differences, []).append(verdict.name)
    return [f"not compared: {', '.join(names)}: {'; '.join(why)}" for why, names in reasons.items()]


def left_out(comparison: Comparison, scope: DiffScope) -> list[str]:
    """What was not compared, and by which rule."""
    lines = []
    names = sorted({name for verdict in comparison.verdicts for name in verdict.ignored})
    if names:
        rules = [] if scope.all_columns else [f"by default {RULE} (--all-columns compares them)"]
        rules += [f"--ignore {pattern}" for pattern in scope.ignored]
        tables = sum(bool(verdict.ignored) for verdict in comparison.verdicts)
        lines.append(f"columns left out in {_counted(tables, 'table')}: {', '.join(names)}; {'; '.join(rules)}")
    if scope.tables != ("*",):
        lines.append(f"only tables that match {', '.join(scope.tables)}")
    if scope.excluded:
        lines.append(f"tables left out: {', '.join(scope.excluded)}")
    return lines


def conclusion(comparison: Comparison) -> str:
    """The last line: equal or not."""
    different = [verdict for verdict in comparison.verdicts if verdict.same is False]
    compared = _counts(verdict for verdict in comparison.verdicts if verdict.same is not None)
    unknown = [verdict for verdict in comparison.verdicts if verdict.same is None]
    rest = f"; not compared: {_counts(unknown)}" if unknown else ""
    if different:
        return f"NOT EQUAL: {_counts(different)} (of {compared}){rest}"
    return f"EQUAL: {compared}{rest}"


def _sides_table(a: Side, b: Side) -> Table:
    table = Table("", "run", "job", "target", "ended (UTC)", "result", "state", "Spark", box=None, pad_edge=False)
    for letter, side in (("A", a), ("B", b)):
        shape = side.run.shape
        where = shape.get("remote", "own server")
        table.add_row(
            *(Text(str(each)) for each in (letter, side.run.run_id, shape["job_key"], shape["target"])),
            Text(utc(side.end_ms)),
            Text(side.run.result, style=colour_of(side.run.result)),
            *(Text(each, overflow="fold") for each in (str(side.state.folder), where)),
        )
    return table


def _verdicts_table(verdicts: Iterable[Verdict]) -> Table:
    table = Table("what", "", "A", "B", "same", box=None, pad_edge=False)
    for each in verdicts:
        same, style = _SAME[each.same]
        table.add_row(each.kind, Text(each.name), Text(each.a), Text(each.b), Text(same, style=style))
    return table


def _print_difference(verdict: Verdict, rows: int, console: Console) -> None:
    console.print()
    console.print(Text(f"{verdict.kind} {verdict.name}", style="bold"))
    for line in verdict.differences:
        console.print(Text(f"  {line}"), soft_wrap=True)
    if verdict.rows and rows:
        _print_rows(verdict.rows, rows, console)


def _print_rows(differing: Differing, most: int, console: Console) -> None:
    """Print the rows: `-` if only A has the row, `+` if only B has it; two states of the same row are adjacent."""
    pairs = shown_pairs(differing, most)
    shown = telling_columns(pairs, COLUMNS)
    lines = [(sign, row) for pair in pairs for sign, row in zip("-+", pair, strict=True) if row]
    table = Table("", *(differing.columns[i] for i in shown), box=None, pad_edge=False)
    for sign, row in lines:
        table.add_row(
            sign + _times(row), *(_cell(row.cells[i]) for i in shown), style="red" if sign == "-" else "green"
        )
    console.print(table)
    notes = [_how_many(differing, lines)]
    if not differing.aligned:
        notes.append("no leading columns tell rows apart: the rows shown of A and of B may be different ones")
    if hidden := len(differing.columns) - len(shown):
        notes.append(f"{_counted(hidden, 'more column')}")
    console.print(Text(f"  - only A, + only B; {'; '.join(notes)}", style="dim"), soft_wrap=True)


def _how_many(differing: Differing, lines: Sequence[tuple[str, Row]]) -> str:
    least = "" if differing.exact else "at least "
    only_a = _counted(differing.only_a, "row")
    return f"{len(lines)} shown of {least}{only_a} only in A, {least}{differing.only_b:,} only in B"


def _times(row: Row) -> str:
    return f" {row.times} times" if row.times > 1 else ""


def _cell(value: str | None) -> Text:
    """A value on one line; NULL is in italics, to distinguish it from the text `NULL`."""
    if value is None:
        return Text("NULL", style="italic")
    line = value.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return Text(line if len(line) <= 40 else line[:37] + "...")


def _counts(verdicts: Iterable[Verdict]) -> str:
    kinds = [verdict.kind for verdict in verdicts]
    return ", ".join(_counted(kinds.count(kind), kind) for kind in (TASK, TABLE, VIEW) if kind in kinds) or "nothing"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _side_json(side: Side) -> dict[str, Any]:
    keys = ("run_id", "job_key", "target", "start_time", "end_time", "job_parameters")
    shape = side.run.shape
    return {
        "name": side.name,
        "state": str(side.state.folder),
        **{key: shape[key] for key in keys},
        "result_state": side.run.result,
        "remote": shape.get("remote"),
    }


def _verdict_json(verdict: Verdict, rows: int) -> dict[str, Any]:
    found = asdict(verdict)
    del found["rows_differ"]
    if differing := verdict.rows:
        pairs = shown_pairs(differing, rows)
        found["rows"] = {
            "columns": differing.columns,
            "count_only_a": differing.only_a,
            "count_only_b": differing.only_b,
            "exact": differing.exact,
            "only_a": [asdict(row) for row, _ in pairs if row],
            "only_b": [asdict(row) for _, row in pairs if row],
        }
    return found
