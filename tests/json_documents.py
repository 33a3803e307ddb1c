"""Random nested JSON documents in files, and a plain reading of them to compare with the loaded tables.

The documents have optional fields, integers and fractions in the same place, arrays of objects, NULLs, empty objects
and arrays, fields that appear later, and occasionally a value that fits no type.
"""

import json
import random
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

WORDS = ("ana", "1", "2024-01-31", "São Paulo", 'quo"te', "true", "", "a\nb", "1.50", "{}", "null", "😀")


def write_documents(folder: Path, *, documents: int, files: int, seed: int) -> list[Path]:
    """Write *documents* to *files* files in *folder*, in an order determined by *seed*; return the files by time."""
    choice = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for number in range(files):
        rows = [
            _document(choice, row, late=number / files)
            for row in range(documents * number // files, documents * (number + 1) // files)
        ]
        place = folder / f"{choice.randrange(10**6):06}-{number}.json"
        place.write_text("".join(json.dumps(row, ensure_ascii=choice.random() < 0.5) + "\n" for row in rows), "utf-8")
        made.append(place)
    return made


def read_documents(files: list[Path]) -> dict[int, dict[str, Any]]:
    """The documents by their id, read as any program would read them."""
    lines = (line for file in files for line in file.read_text("utf-8").split("\n") if line)
    return {document["id"]: document for document in map(json.loads, lines)}


def missing(document: Any, column: Any, rescued: Any, path: str = "") -> Iterator[str]:
    """What *document* has that is neither in *column* nor in *rescued* at the same place."""
    if document is None or (document == rescued and type(document) is type(rescued)) or _same(document, column):
        return
    if isinstance(document, dict) and (isinstance(column, dict) or isinstance(rescued, dict)):
        for name, value in document.items():
            yield from missing(value, _get(column, name), _get(rescued, name), f"{path}.{name}")
    elif isinstance(document, list) and (isinstance(column, list) or isinstance(rescued, list)):
        for at, value in enumerate(document):
            yield from missing(value, _get(column, at), _get(rescued, at), f"{path}[{at}]")
    else:
        yield f"{path}: {document!r} became {column!r}, rescued {rescued!r}"


def invented(document: Any, found: Any, path: str = "") -> Iterator[str]:
    """What *found*, a column or rescued data, has that is not in *document*."""
    if found is None or _same(document, found) or _is_rounded(document, found):
        return
    if isinstance(found, dict) and isinstance(document, dict):
        for name, value in found.items():
            yield from invented(document.get(name), value, f"{path}.{name}")
    elif isinstance(found, list) and isinstance(document, list) and len(found) == len(document):
        for at, value in enumerate(found):
            yield from invented(document[at], value, f"{path}[{at}]")
    else:
        yield f"{path}: {found!r} where the file has {document!r}"


def _get(value: Any, key: Any) -> Any:
    if isinstance(value, dict):
        return value.get(key)
    return value[key] if isinstance(value, list) and isinstance(key, int) and key < len(value) else None


def _same(document: Any, column: Any) -> bool:
    """Does *column* equal the value *document*? In a STRING, everything except strings is JSON text."""
    if isinstance(column, str):
        return column == document if isinstance(document, str) else _parsed(column) == document is not None
    if isinstance(column, date):
        return document == column.isoformat()
    if isinstance(column, Decimal) and isinstance(document, str):
        return column == _decimal(document)
    if isinstance(document, bool) or isinstance(column, bool):
        return document is column
    if isinstance(document, list | dict):
        return document == column and not document
    return document is not None and document == column


def _is_rounded(document: Any, column: Any) -> bool:
    """Is *column* the DOUBLE, or the DECIMAL with two places, nearest to the number *document*?"""
    if isinstance(document, bool) or not isinstance(document, int | float):
        return False
    if isinstance(column, Decimal):
        return abs(Decimal(document) - column) <= Decimal("0.005")
    return isinstance(column, float) and column == float(document)


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _document(choice: random.Random, row: int, *, late: float) -> dict[str, Any]:
    """The document number *row*; the greater *late* (0 to 1), the more fields it may have."""
    found = {
        "id": row,
        "name": choice.choice(WORDS),
        "amount": _number(choice),
        "customer": _customer(choice, late),
        "items": [_item(choice, late) for _ in range(choice.randrange(4))],
        "tags": [choice.choice(WORDS) for _ in range(choice.randrange(3))],
        "any": _anything(choice, 3),
        "flag": choice.choice([True, False, None]),
        "nothing": None,
        "empty": {},
    }
    if late >= 0.5:
        found["channel"] = choice.choice(WORDS)
        found["shipping"] = {"carrier": choice.choice(WORDS), "costs": {"net": _number(choice)}}
    for name in choice.sample(sorted(set(found) - {"id"}), choice.randrange(4)):
        del found[name]
    if choice.random() < 0.05:
        found[choice.choice(["amount", "customer", "items", "flag", "tags"])] = _anything(choice, 2)
    if choice.random() < 0.05:
        found["NAME"] = "another case"
    names = list(found)
    choice.shuffle(names)
    return {name: found[name] for name in names}


def _customer(choice: random.Random, late: float) -> dict[str, Any] | None:
    if choice.random() < 0.1:
        return None
    found: dict[str, Any] = {"age": choice.choice([1, 2, None, "old"]) if choice.random() < 0.2 else 30}
    if choice.random() < 0.7:
        found["address"] = {"zip": choice.choice(["01310", 1310, None]), "city": choice.choice(WORDS)}
        if late >= 0.3 and choice.random() < 0.5:
            found["address"]["geo"] = {"lat": _number(choice), "tags": [choice.choice(WORDS)]}
    if late >= 0.7:
        found["loyalty"] = choice.choice([{"points": _number(choice)}, {}, None])
    return found


def _item(choice: random.Random, late: float) -> Any:
    found: dict[str, Any] = {"sku": choice.choice(WORDS), "quantity": choice.randrange(9)}
    if choice.random() < 0.5:
        found["price"] = _number(choice)
    if late >= 0.4 and choice.random() < 0.5:
        found["options"] = [{"key": choice.choice(WORDS), "value": _anything(choice, 1)} for _ in range(2)]
    return choice.choice([None, found]) if choice.random() < 0.05 else found


def _number(choice: random.Random) -> int | float:
    return choice.choice([0, 7, -3, 2**40, 9007199254740993, 2**63, 1.5, -0.25, 1e20, 1e-7, choice.random()])


def _anything(choice: random.Random, depth: int) -> Any:
    simple = [None, True, _number(choice), choice.choice(WORDS)]
    if depth == 0 or choice.random() < 0.5:
        return choice.choice(simple)
    inner = [_anything(choice, depth - 1) for _ in range(choice.randrange(3))]
    return choice.choice([inner, {choice.choice(["x", "y", "z"]): value for value in inner}])
