"""SQL statements that define datasets and flows: their clauses are parsed, their queries stay as they are written.

Source: Databricks documentation, "Pipeline SQL language reference", CREATE STREAMING TABLE, CREATE MATERIALIZED VIEW,
CREATE FLOW, AUTO CDC INTO; older forms: LIVE TABLE, LIVE VIEW, APPLY CHANGES INTO.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from lakelocal.dialect.ddl.definition import read_definition
from lakelocal.dialect.names import join_name, shorten
from lakelocal.pipelines.cloud_files import as_read_files
from lakelocal.pipelines.definitions import (
    Action,
    Changes,
    Dataset,
    Defaults,
    Definitions,
    Expectation,
    Flow,
    Kind,
    Origin,
    parts_of,
)
from lakelocal.pipelines.errors import DefinitionError
from lakelocal.sql.cells import split_statements
from lakelocal.sql.nesting import closing, items
from lakelocal.sql.tokens import STRING, Token, tokenize
from lakelocal.sql.writing import Edit, apply, quoted

_CHANGE_CLAUSES = (
    "KEYS", "IGNORE NULL UPDATES", "WHERE", "APPLY AS DELETE WHEN", "APPLY AS TRUNCATE WHEN", "SEQUENCE BY",
    "COLUMNS", "STORED AS", "TRACK HISTORY ON", "SYSTEM SEQUENCE BY",
)  # fmt: skip
_TABLE_CLAUSES = (
    "COMMENT", "TBLPROPERTIES", "PARTITIONED BY", "CLUSTER BY", "LOCATION", "USING", "REFRESH POLICY", "SCHEDULE",
    "TRIGGER ON UPDATE", "WITH ROW FILTER", "ROW FILTER", "DEFAULT COLLATION", "FLOW", "AS",
)  # fmt: skip
_BETA = "it is a Beta feature of Databricks that does not run on this machine"


@dataclass
class SqlSource:
    """The statements of one file or cell; what SET and USE change applies to the statements after them.

    *configuration* has the values of `${key}`, and is changed by SET; *parameters* has those of `:name`. *query* makes
    the DataFrame of a query, later, with the given settings.
    """

    definitions: Definitions
    defaults: Defaults
    configuration: dict[str, str]
    parameters: Mapping[str, str]
    query: Callable[[str], Any]
    settings: dict[str, str] = field(default_factory=dict)  # what SET has set so far

    def define(self, text: str, origin: Origin) -> None:
        """Add the definitions in the statements of *text*; *origin* is that of its first line.

        Raises:
            DefinitionError: a statement is not one for pipelines, or contains something that does not run here.
        """
        position = 0
        for statement in split_statements(text):
            position = text.index(statement.text, position)
            place = replace(origin, line=origin.line + text.count("\n", 0, position))
            position += len(statement.text)
            filled = statement.filled(partial(self._parameter, place=place), known=lambda name: False)
            self._statement(_Cursor.of(as_read_files(self._substituted(filled), place), place))

    def _statement(self, at: "_Cursor") -> None:
        if at.take("SET"):
            self._set(at)
        elif at.take("USE"):
            self._use(at)
        elif at.take("APPLY CHANGES INTO"):
            self._changes(at, None, once=False)
        elif at.take("CREATE"):
            self._create(at)
        else:
            raise at.wrong(
                f"`{' '.join(token.text for token in at.tokens[:3])} ...`",
                "a statement that defines a dataset or a flow (CREATE, SET, USE)",
                "Run it in a notebook task",
            )

    def _create(self, at: "_Cursor") -> None:
        refresh = at.take("OR REFRESH") or at.take("OR REPLACE")
        if at.take("FLOW"):
            self._flow(at)
            return
        words = []
        while at.word in ("PRIVATE", "TEMPORARY", "TEMP", "INCREMENTAL", "STREAMING", "LIVE", "MATERIALIZED"):
            words.append(at.word)
            at.at += 1
        thing = at.word
        at.at += 1
        if thing == "TABLE" and not words:
            raise at.wrong(
                "CREATE TABLE",
                "CREATE STREAMING TABLE or CREATE MATERIALIZED VIEW",
                "Write one of these, or create the table in a notebook task",
            )
        if thing not in ("TABLE", "VIEW"):
            raise at.wrong(f"CREATE {' '.join([*words, thing])}", "a table, a view or a flow", "Correct it")
        at.take("IF NOT EXISTS")
        self._dataset(at, _kind(words, thing), is_private=_is_private(words, thing), replaces=refresh)

    def _dataset(self, at: "_Cursor", kind: Kind, *, is_private: bool, replaces: bool) -> None:
        name = at.name()
        made = Dataset(name, kind, self.defaults, at.origin, private=is_private)
        if at.word == "(":
            made = self._columns(at, made)
        made, query = self._clauses(at, made)
        if made.is_view and made.kind is Kind.PUBLISHED_VIEW and made.expectations:
            raise at.wrong("an expectation on a published view", "none", "Put it on a temporary view or a table")
        self.definitions.add(replace(made, text=query) if kind is Kind.PUBLISHED_VIEW else made)
        if query == "FLOW":
            self._inline_flow(at, made)
        elif query:
            self._add_query(made.name, made.name, query, at.origin, explicit=False)
        elif kind is not Kind.STREAMING_TABLE:
            raise at.wrong(f"no query of `{name}`", "AS and a query", "Add it")

    def _columns(self, at: "_Cursor", made: Dataset) -> Dataset:
        """Read the list of columns and constraints: typed columns form the schema, EXPECT the expectations."""
        columns, rules = [], []
        for item in at.items():
            words = item.words
            if words[0] == "CONSTRAINT" and words[2:3] == ["EXPECT"]:
                rules.append(_expectation(item))
            elif words[0] == "CONSTRAINT" and words[2:3] == ["CHECK"]:
                raise item.wrong("CHECK", "EXPECT, PRIMARY KEY or FOREIGN KEY", "Write an expectation")
            elif "MASK" in words:
                raise item.wrong("MASK", "none: a mask that protects values is not ignored", "Hide them in the query")
            else:
                text = _without_keys(item)
                columns += [text] if text else []
                if text != item.text():
                    self.definitions.note("PRIMARY KEY and FOREIGN KEY of pipelines are not stored on this machine")
        typed = [text for text in columns if not _is_untyped(text)]
        if typed and len(typed) != len(columns) and not made.is_view:
            raise at.wrong(f"columns with and without a type in `{made.name}`", "a type for each", "Add the others")
        return replace(made, schema=", ".join(typed) or None, expectations=tuple(rules))

    def _clauses(self, at: "_Cursor", made: Dataset) -> tuple[Dataset, str]:
        """*made* with what its clauses set, and its query; "FLOW" if it has a flow instead of a query."""
        while not at.ends:
            if at.take("AS"):
                return made, at.rest()
            if at.take("FLOW"):
                return made, "FLOW"
            if at.take("COMMENT"):
                made = replace(made, comment=at.string())
            elif at.take("TBLPROPERTIES"):
                made = replace(made, properties=dict(_property(item) for item in at.items()))
            elif at.take("PARTITIONED BY"):
                made = replace(made, partition_by=tuple(item.text().strip("`") for item in at.items()))
            elif at.take("CLUSTER BY"):
                made = replace(made, cluster_by=self._cluster(at))
            elif at.take("USING"):
                if at.word != "DELTA":
                    raise at.wrong(f"USING {at.word}", "USING DELTA", "Correct it")
                at.at += 1
            elif at.take("LOCATION"):
                raise at.wrong("LOCATION", "a table of the catalog, as with Unity Catalog", "Remove it")
            elif at.take("WITH ROW FILTER") or at.take("ROW FILTER"):
                raise at.wrong("ROW FILTER", "none: a filter that protects rows is not left out", "Filter in the query")
            elif left := next(
                (c for c in ("REFRESH POLICY", "SCHEDULE", "TRIGGER ON UPDATE", "DEFAULT COLLATION") if at.take(c)),
                None,
            ):
                at.until(_TABLE_CLAUSES)
                self.definitions.note(f"{left} has no effect on this machine")
            else:
                raise at.wrong(f"`{at.token_text}`", "a clause of CREATE, or AS and a query", "Correct it")
        return made, ""

    def _cluster(self, at: "_Cursor") -> tuple[str, ...]:
        if at.take("AUTO") or at.take("NONE"):
            self.definitions.note("CLUSTER BY AUTO has no effect on this machine")
            return ()
        return tuple(item.text().strip("`") for item in at.items())

    def _inline_flow(self, at: "_Cursor", made: Dataset) -> None:
        """Read `FLOW ...` in CREATE STREAMING TABLE, which is its first flow."""
        if at.take("INSERT"):
            once = at.take("ONCE")
            at.take("BY NAME")
            self._add_query(made.name, made.name, at.rest(), at.origin, once=once, explicit=False)
        elif at.take("AUTO CDC") or at.take("APPLY CHANGES"):
            once = at.take("ONCE")
            self._changes(at, made.name, once=once, target=made.name)
        else:
            raise at.wrong(f"FLOW {at.token_text}", "FLOW INSERT BY NAME or FLOW AUTO CDC", "Correct it")

    def _flow(self, at: "_Cursor") -> None:
        at.take("IF NOT EXISTS")
        name = at.name()
        if at.take("COMMENT"):
            at.string()
        at.need("AS")
        if at.take("AUTO CDC") or at.take("APPLY CHANGES"):
            once = at.take("ONCE")
            at.need("INTO")
            self._changes(at, name, once=once)
            return
        at.need("INSERT")
        once = at.take("ONCE")
        at.need("INTO")
        once = at.take("ONCE") or once
        target = at.name()
        at.take("BY NAME")
        if at.word == "REPLACE":
            raise at.wrong("REPLACE", "a flow that appends", "Use a materialized view")
        self._add_query(name, target, at.rest(), at.origin, once=once, explicit=True)

    def _add_query(
        self, name: str, target: str, query: str, origin: Origin, *, once: bool = False, explicit: bool
    ) -> None:
        flow = Flow(
            name,
            target,
            self.defaults,
            origin,
            lambda: self.query(query),
            once=once,
            conf=dict(self.settings),
            explicit=explicit,
        )
        self.definitions.add_flow(flow)

    def _changes(self, at: "_Cursor", name: str | None, *, once: bool, target: str | None = None) -> None:
        """Read the clauses of AUTO CDC after INTO."""
        target = target or at.name()
        at.need("FROM")
        if at.take("SNAPSHOT"):
            raise at.wrong("FROM SNAPSHOT", "FROM STREAM(...)", "Use `create_auto_cdc_from_snapshot_flow` in Python")
        source = self._source_query(at, name or target) if at.opens_query else at.stream()
        found: dict[str, Any] = {}
        while not at.ends:
            clause = next((each for each in _CHANGE_CLAUSES if at.take(each)), None)
            if clause is None:
                raise at.wrong(f"`{at.token_text}`", "a clause of AUTO CDC", "Correct it")
            self._change_clause(at, clause, found)
        if "keys" not in found:
            raise at.wrong("AUTO CDC without KEYS", "KEYS (...)", "Name the columns that identify a row")
        if "sequence_by" not in found:
            raise at.wrong("AUTO CDC without SEQUENCE BY", "SEQUENCE BY and a column", "Name what orders the events")
        self.definitions.add_flow(
            Flow(
                name or target,
                target,
                self.defaults,
                at.origin,
                once=once,
                conf=dict(self.settings),
                changes=Changes(source, **found),
                explicit=True,
            )
        )

    def _source_query(self, at: "_Cursor", flow: str) -> str:
        """The name of a temporary view of the query in parentheses from which the flow *flow* reads."""
        view = Dataset(f"source_of_{parts_of(flow, at.origin)[-1]}", Kind.TEMPORARY_VIEW, self.defaults, at.origin)
        self.definitions.add(view)
        self._add_query(view.name, view.name, at.inside(), at.origin, explicit=False)
        return view.name

    def _change_clause(self, at: "_Cursor", clause: str, found: dict[str, Any]) -> None:
        if clause == "KEYS":
            found["keys"] = tuple(item.text().strip("`") for item in at.items())
        elif clause == "IGNORE NULL UPDATES":
            if at.word == "ON":
                raise at.wrong("IGNORE NULL UPDATES ON", "IGNORE NULL UPDATES", _BETA)
            found["ignore_null_updates"] = True
        elif clause == "APPLY AS DELETE WHEN":
            found["apply_as_deletes"] = at.until(_CHANGE_CLAUSES)
        elif clause == "APPLY AS TRUNCATE WHEN":
            found["apply_as_truncates"] = at.until(_CHANGE_CLAUSES)
        elif clause == "SEQUENCE BY":
            found["sequence_by"] = at.until(_CHANGE_CLAUSES)
        elif clause == "COLUMNS":
            found.update(_listed(at, "column_list", "except_column_list"))
        elif clause == "TRACK HISTORY ON":
            found.update(_listed(at, "track_history_column_list", "track_history_except_column_list"))
        elif clause == "STORED AS" and at.take("SCD TYPE") and at.token_text in ("1", "2"):
            found["stored_as_scd_type"] = int(at.token_text)
            at.at += 1
        else:
            raise at.wrong(f"{clause} {at.token_text}", "a clause that runs on this machine", _BETA)

    def _set(self, at: "_Cursor") -> None:
        key, _, value = at.rest().partition("=")
        if not value:
            raise at.wrong("SET without a value", "`SET key = value`", "Correct it")
        value = value.strip()
        tokens = tokenize(value) or ()
        plain = tokens[0].text if len(tokens) == 1 and tokens[0].kind == STRING else value
        self.configuration[key.strip().strip("`")] = self.settings[key.strip().strip("`")] = plain

    def _use(self, at: "_Cursor") -> None:
        if at.take("CATALOG"):
            self.defaults = Defaults(at.name_or_string(), self.defaults.schema)
            return
        at.take("SCHEMA") or at.take("DATABASE")
        parts = at.name_or_string().split(".")
        self.defaults = Defaults(parts[0] if len(parts) > 1 else self.defaults.catalog, parts[-1])

    def _substituted(self, text: str) -> str:
        """*text* with each `${key}` replaced by its value in the configuration; one without a value stays."""
        for key, value in self.configuration.items():
            text = text.replace("${" + key + "}", value)
        return text

    def _parameter(self, name: str, place: Origin) -> str:
        if name in self.parameters:
            return self.parameters[name]
        known = ", ".join(f"`{each}`" for each in self.parameters) or "none"
        raise DefinitionError(
            f"{place}: found the parameter `:{name}`; the pipeline's parameters are {known}. Add it to `parameters` of "
            "the pipeline or of the task."
        )


def _kind(words: Sequence[str], thing: str) -> Kind:
    if thing == "VIEW":
        if "MATERIALIZED" in words:
            return Kind.MATERIALIZED_VIEW
        return Kind.TEMPORARY_VIEW if {"TEMPORARY", "TEMP", "LIVE"} & set(words) else Kind.PUBLISHED_VIEW
    return Kind.STREAMING_TABLE if "STREAMING" in words else Kind.MATERIALIZED_VIEW


def _is_private(words: Sequence[str], thing: str) -> bool:
    """Is there `PRIVATE`, or `TEMPORARY`, which is the older word for tables?"""
    return "PRIVATE" in words or (thing == "TABLE" and bool({"TEMPORARY", "TEMP"} & set(words)))


def _expectation(item: "_Cursor") -> Expectation:
    """`CONSTRAINT name EXPECT (condition) [ON VIOLATION DROP ROW | FAIL UPDATE]`."""
    name = item.tokens[1].text
    item.at = 3
    if item.word != "(":
        raise item.wrong(f"EXPECT {item.token_text}", "a condition in parentheses", "Add them")
    condition = item.inside()
    action = Action.WARN
    if not item.ends:
        item.need("ON VIOLATION")
        if item.take("DROP ROW"):
            action = Action.DROP
        elif item.take("FAIL UPDATE"):
            action = Action.FAIL
        else:
            raise item.wrong(f"ON VIOLATION {item.token_text}", "DROP ROW or FAIL UPDATE", "Write one of these")
    return Expectation(name, condition, action)


_KEYS = ("PRIMARY", "FOREIGN", "REFERENCES", "UNIQUE")
_BEHIND_KEY = (["NOT", "NULL"], ["COMMENT"], ["DEFAULT"], ["GENERATED"])


def _without_keys(item: "_Cursor") -> str:
    """The text of a column without the keys that it is declared to be; "" if *item* is a key of the table."""
    kept, depth, in_key = [], 0, False
    words = item.words
    for index, token in enumerate(item.tokens):
        named = words[index] == "CONSTRAINT" and words[index + 2 : index + 3] != ["CHECK"]
        is_key = index == 0 and item.opens_key
        if depth == 0 and (is_key or (index and (named or words[index] in _KEYS))):
            in_key = True
        elif depth == 0 and any(words[index : index + len(each)] == each for each in _BEHIND_KEY):
            in_key = False
        depth += {"(": 1, ")": -1}.get(words[index], 0)
        if not in_key:
            kept.append(item.sql[token.start : token.end])
    return " ".join(kept) if len(kept) < len(item.tokens) else item.text()


def _is_untyped(column: str) -> bool:
    """Is *column* a name without a type, maybe with a comment?"""
    tokens = tokenize(column) or ()
    return len(tokens) == 1 or (len(tokens) == 3 and tokens[1].word == "COMMENT")


def _property(item: "_Cursor") -> tuple[str, str]:
    """`'key' = 'value'`, the key also as a dotted name, the value also without quotes."""
    equals = next((index for index, token in enumerate(item.tokens) if token.text == "="), None)
    if equals is None:
        return "".join(token.text for token in item.tokens[:-1]), item.tokens[-1].text
    return tuple("".join(token.text for token in part) for part in (item.tokens[:equals], item.tokens[equals + 1 :]))  # type: ignore[return-value]


def _listed(at: "_Cursor", some: str, all_but: str) -> dict[str, tuple[str, ...]]:
    """`(a, b)`, `a, b` or `* EXCEPT (a, b)`."""
    if at.take("*"):
        at.need("EXCEPT")
        return {all_but: tuple(item.text().strip("`") for item in at.items())}
    if at.word == "(":
        return {some: tuple(item.text().strip("`") for item in at.items())}
    return {some: tuple(name.strip().strip("`") for name in at.until(_CHANGE_CLAUSES).split(","))}


@dataclass
class _Cursor:
    """Reads the tokens of one statement, or of an item in a list."""

    sql: str
    tokens: tuple[Token, ...]
    origin: Origin
    at: int = 0

    @classmethod
    def of(cls, sql: str, origin: Origin) -> "_Cursor":
        sql = _with_identifiers(sql)
        tokens = tokenize(sql)
        if tokens is None:
            raise DefinitionError(f"{origin}: found {shorten(sql)}, which is not valid SQL. Close its quotes.")
        return cls(sql, tuple(token for token in tokens if token.word != ";"), origin)

    @property
    def words(self) -> list[str]:
        return [token.word for token in self.tokens]

    @property
    def ends(self) -> bool:
        return self.at >= len(self.tokens)

    @property
    def opens_key(self) -> bool:
        """Does it begin as a key of a table does, and not with a column of that name?"""
        begins = self.words[2:3] if self.word == "CONSTRAINT" else self.words[:1]
        behind = self.words[3:4] if self.word == "CONSTRAINT" else self.words[1:2]
        return (begins in (["PRIMARY"], ["FOREIGN"]) and behind == ["KEY"]) or (
            begins == ["UNIQUE"] and behind == ["("]
        )

    @property
    def opens_query(self) -> bool:
        """Is a query in parentheses next?"""
        return self.word == "(" and self.words[self.at + 1 : self.at + 2] in (["SELECT"], ["WITH"], ["FROM"])

    @property
    def word(self) -> str:
        return "" if self.ends else self.tokens[self.at].word

    @property
    def token_text(self) -> str:
        return "the end" if self.ends else self.tokens[self.at].text

    def take(self, phrase: str) -> bool:
        """Go past *phrase* if it comes next; returns whether it did."""
        wanted = phrase.split()
        found = self.words[self.at : self.at + len(wanted)] == wanted
        self.at += len(wanted) if found else 0
        return found

    def need(self, phrase: str) -> None:
        if not self.take(phrase):
            raise self.wrong(f"`{self.token_text}`", phrase, "Correct it")

    def name(self) -> str:
        """The next dotted name."""
        parts = []
        while not self.ends and self.tokens[self.at].is_name:
            parts.append(self.tokens[self.at].text)
            self.at += 1
            if self.ends or self.tokens[self.at].text != ".":
                break
            self.at += 1
        if not parts:
            raise self.wrong(f"`{self.token_text}`", "a name", "Add it")
        return join_name(parts)

    def name_or_string(self) -> str:
        return self.string() if not self.ends and self.tokens[self.at].kind == STRING else self.name()

    def string(self) -> str:
        """The next text in quotes; adjacent ones form one text, as in Spark."""
        first = self.at
        while not self.ends and self.tokens[self.at].kind == STRING:
            self.at += 1
        if self.at == first:
            raise self.wrong(f"`{self.token_text}`", "a text in quotes", "Add it")
        return "".join(token.text for token in self.tokens[first : self.at])

    def stream(self) -> str:
        """The name in `STREAM(name)`, `STREAM name` or `name`."""
        streams = self.take("STREAM")
        bracket = self.take("(")
        name = self.name()
        if bracket and not self.take(")"):
            expected = "the name of a table or view in STREAM(...)" if streams else "the name of a table or view"
            raise self.wrong(f"`{self.token_text}`", expected, "Define a temporary view for the query")
        return name

    def inside(self) -> str:
        """The text in the next parentheses."""
        first, last = self.at, self._closing()
        self.at = last + 1
        return self.sql[self.tokens[first].end : self.tokens[last].start].strip()

    def items(self) -> "list[_Cursor]":
        """The entries of the next list in parentheses."""
        if self.word != "(":
            raise self.wrong(f"`{self.token_text}`", "a list in parentheses", "Add it")
        first, last = self.at, self._closing()
        self.at = last + 1
        parts = [self.tokens[each.start : each.stop] for each in items(self.tokens, first)]
        return [_Cursor(self.sql, part, self.origin) for part in parts if part]

    def until(self, clauses: Sequence[str]) -> str:
        """The text up to the first of *clauses* outside of parentheses."""
        first, depth = self.at, 0
        while not self.ends:
            depth += {"(": 1, ")": -1}.get(self.word, 0)
            rest = self.words[self.at :]
            if depth == 0 and any(rest[: len(each.split())] == each.split() for each in clauses):
                break
            self.at += 1
        if first == self.at:
            return ""
        return self.sql[self.tokens[first].start : self.tokens[self.at - 1].end]

    def rest(self) -> str:
        """The remaining text."""
        if self.ends:
            return ""
        first, self.at = self.at, len(self.tokens)
        return self.sql[self.tokens[first].start : self.tokens[-1].end]

    def text(self) -> str:
        return self.sql[self.tokens[0].start : self.tokens[-1].end]

    def wrong(self, found: str, expected: str, action: str) -> DefinitionError:
        return DefinitionError(f"{self.origin}: {shorten(self.sql)}: found {found}; expected {expected}. {action}.")

    def _closing(self) -> int:
        end = closing(self.tokens, self.at)
        if end is None:
            raise self.wrong("an open parenthesis", "a closing one", "Add it")
        return end


def _with_identifiers(sql: str) -> str:
    """*sql* with each `IDENTIFIER('name')`, even of texts joined by `||`, replaced by the name itself."""
    tokens = tokenize(sql) or ()
    edits = []
    for index, token in enumerate(tokens):
        if token.word != "IDENTIFIER" or index + 2 >= len(tokens) or tokens[index + 1].word != "(":
            continue
        last = index + 2
        texts = []
        while last < len(tokens) and tokens[last].kind == STRING:
            texts.append(tokens[last].text)
            last += 1
            if last < len(tokens) and tokens[last].text in ("||", "|"):
                last += 1 if tokens[last].text == "||" else 2
        if texts and last < len(tokens) and tokens[last].word == ")":
            edits.append(Edit(token.start, tokens[last].end, "".join(texts)))
    return apply(sql, edits)


def plain_columns(declared: str) -> str:
    """The names and types of the columns *declared* in a CREATE TABLE, without what follows the types."""
    sql = f"({declared})"
    found = read_definition(sql, tokenize(sql) or (), 0, "", "The columns")
    return ", ".join(f"{quoted(column.name)} {column.type}" for column in found.columns)
