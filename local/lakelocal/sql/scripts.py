"""Where a SQL script (`BEGIN ... END`) ends, and which statements are in it.

Source: Databricks documentation, "SQL scripting".
"""

from collections.abc import Sequence

from lakelocal.sql.tokens import Token

# What an END may close that was not opened by BEGIN or CASE.
_LOOPS = frozenset(["IF", "LOOP", "WHILE", "FOR", "REPEAT"])
# Words behind which a statement begins.
_BEFORE = frozenset(["BEGIN", "ATOMIC", "THEN", "ELSE", "DO", "LOOP", "REPEAT", ";"])


def script_end(tokens: Sequence[Token], at: int) -> int:
    """The index behind the END of the BEGIN at token *at*; the number of tokens where it never ends."""
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
    """Does a script begin at token *at*: BEGIN, or a label and BEGIN, and no transaction?"""
    words = [token.word for token in tokens[at : at + 3]]
    if words[1:] == [":", "BEGIN"] or (len(words) == 3 and words[1] == ":" and words[2] == "BEGIN"):
        return True
    return words[:1] == ["BEGIN"] and words[1:2] != ["TRANSACTION"] and len(words) > 1


def statements_in(tokens: Sequence[Token]) -> list[range]:
    """The statements of a script between its control words, by the indexes of their tokens."""
    found, start, depth = [], None, 0
    for index, token in enumerate(tokens):
        depth += (token.word == "(") - (token.word == ")")
        if index and depth == 0 and tokens[index - 1].word in _BEFORE and token.word not in _BEFORE:
            start = index
        if token.word == ";" and depth == 0 and start is not None:
            found.append(range(start, index))
            start = None
    return found
