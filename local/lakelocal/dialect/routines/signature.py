"""The parameters of a routine, and how the arguments of a call are assigned to them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lakelocal.dialect.ddl.reader import Reader
from lakelocal.errors import DialectError
from lakelocal.sql.nesting import items
from lakelocal.sql.tokens import Token, tokenize

IN, OUT, INOUT = "IN", "OUT", "INOUT"
_BEHIND_TYPE = ("DEFAULT", "COMMENT", "NOT")


@dataclass(frozen=True)
class Parameter:
    """One parameter, with its texts as SQL; *default* is None if an argument is required."""

    name: str
    type: str
    default: str | None = None
    mode: str = IN


@dataclass(frozen=True)
class Signature:
    """The name of a routine, for messages, and its parameters."""

    name: str
    parameters: tuple[Parameter, ...]

    def __str__(self) -> str:
        return f"{self.name}({', '.join(f'{each.name} {each.type}' for each in self.parameters)})"

    def arguments(self, sql: str, tokens: Sequence[Token], opened: int) -> list[str | None]:
        """The text for each parameter, from the arguments in the parentheses that open at token *opened*.

        Raises:
            DialectError: there are too many or too few arguments, or one has an unknown name.
        """
        given: dict[str, str] = {}
        for index, item in enumerate(items(tokens, opened)):
            own = tokens[item.start : item.stop]
            named = len(own) > 2 and own[0].is_name and own[1].text == "=>"
            if not named and index >= len(self.parameters):
                raise DialectError(f"{self.name}(...): found {index + 1} arguments; expected {self}.")
            name = own[0].text if named else self.parameters[index].name
            given[name.lower()] = sql[own[2 if named else 0].start : own[-1].end]
        known = {parameter.name.lower() for parameter in self.parameters}
        if unknown := [name for name in given if name not in known]:
            raise DialectError(f"{self.name}(...): found the argument `{unknown[0]}`; expected {self}.")
        return [self._argument(parameter, given) for parameter in self.parameters]

    def _argument(self, parameter: Parameter, given: dict[str, str]) -> str | None:
        text = given.get(parameter.name.lower(), parameter.default)
        if text is None:
            raise DialectError(f"{self.name}(...): found no argument for `{parameter.name}`; expected {self}.")
        return text


def read_parameters(text: str, where: str) -> Iterator[Parameter]:
    """The parameters or columns in *text*, such as `x INT, OUT y STRING DEFAULT 'a' COMMENT 'b'`."""
    sql = f"({text})"
    tokens = tokenize(sql) or ()
    for item in items(tokens, 0):
        reader = Reader(sql, tokens, item.start, item.stop, where)
        mode = next((mode for mode in (INOUT, OUT, IN) if item.stop - item.start > 2 and reader.take(mode)), IN)
        name, of_type = reader.name(), reader.until(_BEHIND_TYPE)
        reader.take("NOT NULL")
        default = reader.until(["COMMENT"]) if reader.take("DEFAULT") else None
        yield Parameter(name, of_type, default, mode)
