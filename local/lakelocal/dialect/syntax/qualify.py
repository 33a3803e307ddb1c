"""`QUALIFY`: filters the rows of a query by a condition on window functions.

    SELECT id, name FROM t QUALIFY row_number() OVER (PARTITION BY id ORDER BY at DESC) = 1

becomes a filter around the query, which gets the condition as an additional column:

    SELECT * EXCEPT (`__qualify`) FROM (SELECT id, name, (row_number() ...) AS `__qualify` FROM t) WHERE `__qualify`

The condition can therefore use the columns of the tables and, as on Databricks, the names in the SELECT list.

Source: Databricks documentation, "QUALIFY clause".
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lakelocal.errors import DialectError
from lakelocal.sql.nesting import closing, level, level_back, level_end, split
from lakelocal.sql.tokens import Token, tokenize
from lakelocal.sql.writing import Edit, apply

FLAG = "`__qualify`"
_SET_OPERATORS = frozenset(["UNION", "INTERSECT", "EXCEPT", "MINUS"])
_LAST = frozenset(["LIMIT", "OFFSET", ";", "|>", "DO"]) | _SET_OPERATORS
_AGGREGATES = frozenset(["AVG", "COUNT", "MAX", "MIN", "SUM", "MEAN", "ANY_VALUE", "FIRST", "LAST"])
_ORDERS = frozenset(["ORDER", "SORT", "CLUSTER", "DISTRIBUTE"])
# QUALIFY is a name, and not a clause, if it comes before one of these, or after one of those.
_BEHIND_NAME = frozenset([",", ")", ".", "=", "<", ">", "+", "-", "*", "/", "FROM", "IS", "IN", ";", "::", "<>", "ON"])
_BEFORE_NAME = frozenset([",", "(", ".", "SELECT", "AS", "BY", "WHERE", "AND", "OR", "NOT", "=", "<", ">", "+", "-"])


def filter_qualified(sql: str) -> str:
    """*sql* with a filter around each query that has QUALIFY.

    Raises:
        DialectError: the condition contains an aggregate, and the query has GROUP BY ALL.
    """
    while (query := _last_qualified(sql)) is not None:
        sql = apply(sql, [query.filtered(sql)])
    return sql


@dataclass(frozen=True)
class _Query:
    """One SELECT with QUALIFY, by the indexes of its tokens; each part ends where the next one begins.

    *outer* is the beginning of what stays outside of the filter: LIMIT, or what follows a set operator.
    """

    tokens: Sequence[Token]
    select: int
    items: int
    source: int
    qualify: int
    condition_end: int
    outer: int
    distinct: bool
    groups_all: bool

    def filtered(self, sql: str) -> Edit:
        """The edit of *sql* that turns this QUALIFY into a filter."""
        items, source = self._text(sql, self.items, self.source), self._text(sql, self.source, self.qualify)
        condition = self._condition(sql)
        order = self._text(sql, self.condition_end, self.outer)
        if self.groups_all:
            inner = f"SELECT *, ({condition}\n) AS {FLAG} FROM (SELECT {items}\n{source})\n{order}"
        else:
            inner = f"SELECT {items}\n, ({condition}\n) AS {FLAG} {source}\n{order}"
        distinct = "DISTINCT " if self.distinct else ""
        text = f"SELECT {distinct}* EXCEPT ({FLAG}) FROM ({inner.rstrip()}\n) WHERE {FLAG} "
        return Edit(self.tokens[self.select].start, self._start(sql, self.outer), text)

    def _condition(self, sql: str) -> str:
        """The condition; in a query with GROUP BY, names of aggregates in the SELECT list are replaced by these.

        Spark does not allow such names inside window functions.
        """
        start, end = self._start(sql, self.qualify + 1), self._start(sql, self.condition_end)
        aggregates = self._aggregates(sql)
        edits = [
            Edit(token.start - start, token.end - start, f"({aggregates[token.text.lower()]})")
            for index, token in enumerate(self.tokens[self.qualify + 1 : self.condition_end], self.qualify + 1)
            if token.is_name and token.text.lower() in aggregates and _stands_alone(self.tokens, index)
        ]
        return apply(sql[start:end], edits).strip()

    def _aggregates(self, sql: str) -> dict[str, str]:
        """The aggregates in the SELECT list, by their names; none if the query does not have GROUP BY with columns."""
        if self.groups_all or not any(token.word == "GROUP" for token in self.tokens[self.source : self.qualify]):
            return {}
        found = {}
        for item in split(self.tokens, self.items, self.source):
            own = self.tokens[item.start : item.stop]
            if len(own) > 2 and own[-1].is_name and own[-2].word == "AS" and _aggregates(own):
                found[own[-1].text.lower()] = sql[own[0].start : own[-3].end]
        return found

    def _text(self, sql: str, first: int, end: int) -> str:
        return sql[self._start(sql, first) : self._start(sql, end)].strip() if end > first else ""

    def _start(self, sql: str, index: int) -> int:
        return self.tokens[index].start if index < len(self.tokens) else len(sql)


def _last_qualified(sql: str) -> _Query | None:
    if "qualify" not in sql.lower():
        return None
    tokens = tokenize(sql) or ()
    places = (index for index in reversed(range(len(tokens))) if _is_clause(tokens, index))
    return next((query for at in places if (query := _query(tokens, at)) is not None), None)


def _is_clause(tokens: Sequence[Token], at: int) -> bool:
    """Is token *at* the clause QUALIFY, and not a name?"""
    if tokens[at].word != "QUALIFY" or at == 0 or at + 1 == len(tokens):
        return False
    return tokens[at + 1].word not in _BEHIND_NAME and tokens[at - 1].word not in _BEFORE_NAME


def _query(tokens: Sequence[Token], at: int) -> _Query | None:
    """The query whose QUALIFY is token *at*; None if there is no such query."""
    select = next((index for index in level_back(tokens, at - 1) if tokens[index].word == "SELECT"), None)
    if select is None:
        return None
    before = [index for index in level(tokens, select) if index < at]
    source = next((index for index in before if _is_from(tokens, index)), None)
    if source is None:
        return None
    behind = list(level(tokens, at + 1))
    end = next((index for index in behind if tokens[index].word in _LAST), level_end(tokens, at + 1))
    condition_end = next((index for index in behind if index < end and _begins_tail(tokens, index)), end)
    order = next((i for i in behind if condition_end <= i < end and tokens[i].word in _ORDERS), end)
    distinct = tokens[select + 1].word == "DISTINCT"
    groups_all = any([token.word for token in tokens[i : i + 3]] == ["GROUP", "BY", "ALL"] for i in before)
    if groups_all and _aggregates(tokens[at + 1 : condition_end]):
        raise DialectError(
            "QUALIFY: found an aggregate in its condition, in a query with GROUP BY ALL. "
            "Give the aggregate a name in the SELECT list, and use the name in QUALIFY."
        )
    return _Query(
        tokens, select, select + 1 + (tokens[select + 1].word in ("DISTINCT", "ALL")), source, at, condition_end,
        order if distinct or _is_combined(tokens, select) else end, distinct, groups_all,
    )  # fmt: skip


def _stands_alone(tokens: Sequence[Token], at: int) -> bool:
    """Is the name at *at* neither qualified, nor a qualifier, nor a function?"""
    behind = tokens[at + 1].text if at + 1 < len(tokens) else ""
    return tokens[at - 1].text != "." and behind not in (".", "(")


def _is_from(tokens: Sequence[Token], at: int) -> bool:
    """Is token *at* the clause FROM, and not a part of `IS DISTINCT FROM`?"""
    return tokens[at].word == "FROM" and tokens[at - 1].word != "DISTINCT"


def _begins_tail(tokens: Sequence[Token], at: int) -> bool:
    """Does ORDER BY, a similar clause or WINDOW begin at token *at*?"""
    if tokens[at].word in _ORDERS:
        return at + 1 < len(tokens) and tokens[at + 1].word == "BY"
    return tokens[at].word == "WINDOW" and at + 2 < len(tokens) and tokens[at + 2].word == "AS"


def _is_combined(tokens: Sequence[Token], select: int) -> bool:
    """Is there a set operator before this SELECT, so that a later ORDER BY applies to the whole?"""
    before = [token.word for token in tokens[max(select - 2, 0) : select] if token.word not in ("ALL", "DISTINCT")]
    return bool(before) and before[-1] in _SET_OPERATORS


def _aggregates(tokens: Sequence[Token]) -> bool:
    """Is there a call of a common aggregate function that is not a window function?"""
    for index, token in enumerate(tokens[:-1]):
        if token.word in _AGGREGATES and tokens[index + 1].word == "(":
            end = closing(tokens, index + 1)
            if end is None or end + 1 >= len(tokens) or tokens[end + 1].word != "OVER":
                return True
    return False
