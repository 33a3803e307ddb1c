"""`bundle.databricks_cli_version`: which versions of the Databricks CLI a bundle is for.

Source: Databricks CLI 1.13, `bundle/config/mutator/verify_cli_version.go`: at most two comparisons of whole versions.
"""

import operator
import re
from collections.abc import Callable

from lakelocal.bundle.documents import YamlMapping, place_of
from lakelocal.lakeflow.findings import Findings
from lakelocal.versions import DATABRICKS_CLI

_OPERATORS: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    **{">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "!=": operator.ne, "": operator.eq},
}
_VERSION = r"(?:\d+\.\d+\.\d+(?:-\w+)?|\d+\.\d+\.\*|\d+\.\*)"
_PART = rf"(>=|<=|>|<|!=)? ?({_VERSION})"
_CONSTRAINT = re.compile(rf"{_PART}(?:, {_PART})?")
_PATH = ("bundle", "databricks_cli_version")


def check_cli_version(tree: YamlMapping, findings: Findings) -> None:
    """Add to *findings* a constraint that the CLI cannot read, or that excludes the version of it that is emulated."""
    constraint = (tree.get("bundle") or {}).get(_PATH[-1])
    if constraint in (None, ""):
        return
    where = findings.at(place_of(tree, _PATH, tree.place), path=_PATH)
    found = f"the databricks_cli_version `{constraint}`"
    parts = _CONSTRAINT.fullmatch(str(constraint))
    if parts is None:
        expected = "versions of three parts, such as `>= 0.218.0` or `>= 0.218.0, <= 1.0.0`"
        findings.add("cli-version", found, expected, "Correct it.", where)
    elif not all(_allows(parts[at] or "", parts[at + 1]) for at in (1, 3) if parts[at + 1]):
        expected = f"one that allows {DATABRICKS_CLI}, the version that is followed here"
        findings.add("cli-version-unmet", found, expected, "Check the bundle with your version of the CLI too.", where)


def _allows(operator_: str, version: str) -> bool:
    wanted = tuple(int(part) for part in version.partition("-")[0].split(".") if part != "*")
    own = tuple(map(int, DATABRICKS_CLI.split(".")))
    return _OPERATORS[operator_](own[: len(wanted)], wanted)
