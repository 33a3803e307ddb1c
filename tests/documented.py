"""The commands that the documents show, found in their text: blocks to paste, and commands inside of sentences."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = (
    "README.md",
    "local/README.md",
    "local/CONTRIBUTING.md",
    "local/lakelocal/jobs/README.md",
    "local/lakelocal/starter/README.md",
    "runbooks/README.md",
)
PROGRAMS = r"make|python|\.venv(?:-remote)?/bin/python|lakelocal|pip|pytest|databricks|git|gh|export|du|ssh|sbin/\S+"
COMMAND = re.compile(rf"(?:[A-Z_]+=(?:\"[^\"]*\"|\S+) )*(?:{PROGRAMS}) \S")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"\s+#\s.*$|\s{4,}\S.*$")  # behind a command: after `#`, or far to the right


@dataclass(frozen=True)
class Documented:
    """A command as *document* shows it, and the lines that it prints according to that, `...` for any."""

    document: str
    command: str
    prints: tuple[str, ...] = ()


def documented() -> list[Documented]:
    """All commands, in the order of the documents; a command that a document repeats is there once for each."""
    return [each for name, text in _texts() for each in _commands(name, text)]


def verbs_named(verbs: Iterable[str]) -> list[Documented]:
    """The parts of commands that begin with one of *verbs* and stand for it in prose, such as `runs prune --keep 3`."""
    part = re.compile(rf"`((?:{'|'.join(verbs)}) [^`\n]+)`")
    return [Documented(name, found) for name, text in _texts() for found in part.findall(text)]


def _texts() -> Iterator[tuple[str, str]]:
    """The name and the text of each document, and of the prose of each runbook."""
    for name in DOCUMENTS:
        yield name, (ROOT / name).read_text(encoding="utf-8")
    for place in sorted((ROOT / "runbooks").glob("[A-Z]*.ipynb")):
        cells = json.loads(place.read_text(encoding="utf-8"))["cells"]
        prose = ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
        yield f"runbooks/{place.name}", "\n\n".join(prose)


def _commands(document: str, text: str) -> list[Documented]:
    found: list[tuple[int, Documented]] = []
    for block in FENCE.finditer(text):
        language, content = block.groups()
        if language in ("", "console"):
            found += [(block.start(), Documented(document, *each)) for each in _of_block(content)]
    prose = FENCE.sub(lambda block: " " * len(block[0]), text)
    for line in re.finditer(r"^    (\S.*)$", prose, re.MULTILINE):
        if COMMAND.match(line[1]):
            found.append((line.start(), Documented(document, COMMENT.sub("", line[1]))))
    for quoted in re.finditer(r"`([^`\n]+)`", prose):
        if COMMAND.match(quoted[1]):
            found.append((quoted.start(), Documented(document, quoted[1].replace("\\|", "|"))))
    return [each for _, each in sorted(found, key=lambda pair: pair[0])]


def _of_block(content: str) -> list[tuple[str, tuple[str, ...]]]:
    """The commands of a block with what each prints; where no line begins with `$`, every command is a line."""
    lines = content.splitlines()
    if not any(line.startswith("$ ") for line in lines):
        return [(COMMENT.sub("", line), ()) for line in lines if COMMAND.match(line)]
    found: list[tuple[str, list[str]]] = []
    for line in lines:
        if line.startswith("$ "):
            found.append((COMMENT.sub("", line[2:]), []))
        elif found:
            found[-1][1].append(line)
    return [(command, tuple(printed)) for command, printed in found]
