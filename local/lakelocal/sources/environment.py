"""The packages that a notebook itself requires: the environment that serverless notebooks keep in their own file.

A source file has it directly after its header, as comments in the form of PEP 723:

    # /// script
    # [tool.databricks.environment]
    # environment_version = "5"
    # dependencies = ["requests"]
    # ///

A Jupyter notebook has the same under `environmentMetadata` in its metadata. If the notebook runs by itself, a cell
`%pip install` at the beginning, tagged `ENVIRONMENT`, installs the dependencies; a notebook that is included with
`%run` runs in the environment of the including one. The version of the environment has no counterpart here.
"""

import shlex
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from lakelocal.sources.languages import Language

NOTEBOOK = "application/vnd.databricks.v1+notebook"  # where Databricks' exports keep what concerns the whole notebook
ENVIRONMENT = "notebook-environment"


def script_block(lines: Sequence[str], language: Language) -> tuple[dict[str, Any], int]:
    """The environment in the first of *lines*, and how many lines it takes; ({}, 0) if there is none.

    Raises:
        ValueError: the block is not TOML.
    """
    opening, closing = f"{language.comment} /// script", f"{language.comment} ///"
    stripped = [line.rstrip() for line in lines]
    if not stripped or stripped[0] != opening or closing not in stripped:
        return {}, 0
    end = stripped.index(closing)
    text = "\n".join(line.removeprefix(language.comment).removeprefix(" ") for line in stripped[1:end])
    tool = tomllib.loads(text).get("tool") or {}
    return (tool.get("databricks") or {}).get("environment") or {}, end + 1


def install_lines(metadata: Mapping[str, Any]) -> list[str]:
    """The `%pip install` for the environment in a notebook's *metadata*; none if it requires nothing."""
    environment = (metadata.get(NOTEBOOK) or {}).get("environmentMetadata") or {}
    asked = [str(each).strip() for each in environment.get("dependencies") or []]
    # A dependency may be several words, such as `-r requirements.txt`.
    words = [each if each.startswith("-") else shlex.quote(each) for each in asked if each]
    return [f"%pip install {' '.join(words)}"] if words else []
