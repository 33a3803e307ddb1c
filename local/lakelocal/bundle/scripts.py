"""The `scripts` of a bundle: named shell commands that get values of the bundle through their environment.

Source: Databricks CLI 1.13, `bundle/config/validate/scripts.go`: references are allowed in `env` only, since the shell
has its own `${...}`, and only to values that are known before a deployment.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from lakelocal.bundle.documents import YamlMapping, place_of
from lakelocal.bundle.references import references_in, steps_of
from lakelocal.lakeflow.field_values import as_text
from lakelocal.lakeflow.findings import Finding, Findings
from lakelocal.lakeflow.model import Script

_IN_ENVIRONMENT = ("bundle", "workspace", "var", "variables")


def read_scripts(tree: YamlMapping) -> dict[str, Script]:
    """The scripts of *tree*, in which references have been resolved."""
    return {
        name: Script(name, as_text(block.get("content")), {key: as_text(value) for key, value in _env(block).items()})
        for name, block in _blocks(tree).items()
    }


def wrong_scripts(written: YamlMapping, findings: Findings) -> dict[str, list[Finding]]:
    """What is wrong with each script of *written*, the bundle as it is written, by the name of the script."""
    found = {name: list(_wrong(name, block, findings)) for name, block in _blocks(written).items()}
    return {name: each for name, each in found.items() if each}


def _wrong(name: str, block: YamlMapping, findings: Findings) -> Iterator[Finding]:
    def finding(path: tuple[str, ...], found: str, expected: str, action: str) -> Finding:
        where = findings.at(place_of(block, path, block.place), path=("scripts", name, *path))
        return Finding(where, "script", f"{found} in the script `{name}`", expected, action)

    content = block.get("content")
    if not content:
        yield finding(("content",), "no `content`", "shell commands", "Add them.")
    for path in references_in(content):
        action = "Add a variable to `env`, and write `$NAME` here."
        yield finding(("content",), f"`${{{path}}}`", "no reference, since the shell would expand it", action)
    for key, value in _env(block).items():
        for path in references_in(value):
            if steps_of(path)[0] not in _IN_ENVIRONMENT:
                expected = "a reference to `bundle`, `workspace` or `var`"
                yield finding(("env", key), f"`${{{path}}}`", expected, "Write the value out.")


def _blocks(tree: YamlMapping) -> Mapping[str, YamlMapping]:
    scripts = tree.get("scripts") or {}
    return {name: block for name, block in scripts.items() if isinstance(block, YamlMapping)}


def _env(block: YamlMapping) -> Mapping[str, Any]:
    env = block.get("env")
    return env if isinstance(env, dict) else {}
