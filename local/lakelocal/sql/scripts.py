"""Where a SQL script (`BEGIN ... END`) ends, and which statements are in it.

Source: Databricks documentation, "SQL scripting".
"""

from collections.abc import Sequence

from lakelocal.sql.tokens import Token

# What an END may close that was not opened by BEGIN or CASE.
_LOOPS = frozenset(["IF", "LOOP", "WHILE", "FOR", "REPEAT"])
# Words after which a statement begins; the latter also occur in statements, such as CASE WHEN ... THEN.
_ALWAYS_BEFORE = frozenset(["BEGIN", "ATOMIC", ";"])
_BEFORE_WITHIN = frozenset(["THEN", "ELSE", "DO", "LOOP", "REPEAT"])
# What begins there but is not a statement itself.
_CONTROL = frozenset(
    {"IF", "ELSEIF", "ELSE", "WHILE", "FOR", "CASE", "WHEN", "LOOP", "REPEAT", "UNTIL", "END", "BEGIN"}
    | {"NOT", "ATOMIC", ";"}
)


def script_end(tokens: Sequence[Token], at: int) -> int:
    """The index after the END of the BEGIN at token *at*; the number of tokens if it never ends."""
    depth = 0
    for index in range(at, len(tokens)):
        word = tokens[index].word
        after_end = index > at and tokens[index - 1].word == "END"
        if word == "BEGIN" or (word == "CASE" and not after_end):
            depth += 1
        elif word == "END" and (index + 1 == len(tokens) or tokens[index + 1].word not in _LOOPS):
            depth -= 1
            if depth == 0:
                return index + 1
    return len(tokens)


def begins_script(tokens: Sequence[Token], at: int) -> bool:
    """Does a script begin at token *at*: BEGIN, or a label and BEGIN, but not a transaction?"""
    words = [token.word for token in tokens[at : at + 3]]
    labelled = words[1:] == [":", "BEGIN"]
    return labelled or (words[:1] == ["BEGIN"] and len(words) > 1 and words[1] not in ("TRANSACTION", ";"))


def statements_in(tokens: Sequence[Token]) -> list[range]:
    """The statements of a script between its control words, as ranges of token indexes."""
    found: list[range] = []
    start: int | None = None
    for index, token in enumerate(tokens[1:], 1):
        before = tokens[index - 1].word
        begins = before in _ALWAYS_BEFORE or (start is None and before in _BEFORE_WITHIN)
        if begins and token.word not in _CONTROL:
            start = index
        elif begins:
            start = None
        elif token.word == ";" and start is not None:
            found.append(range(start, index))
            start = None
    return found


def variables_in(tokens: Sequence[Token]) -> frozenset[str]:
    """The names, in lower case, that the script gives to variables and to the rows of loops."""
    found = set()
    for index, token in enumerate(tokens):
        behind = [token.word for token in tokens[index + 1 : index + 3]]
        if token.word == "FOR" and behind[1:] == ["AS"]:
            found.add(tokens[index + 1].text.lower())
        if token.word == "DECLARE" and behind[1:] not in (["HANDLER"], ["CONDITION"]):
            at = index + 1
            while at + 1 < len(tokens) and tokens[at].is_name:
                found.add(tokens[at].text.lower())
                if tokens[at + 1].word != ",":
                    break
                at += 2
    return frozenset(found)
