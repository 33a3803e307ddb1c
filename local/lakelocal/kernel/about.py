"""What `spark` prints in a notebook: its version and server, and the current catalog and schema."""

import html
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lakelocal.catalogs import DEFAULT_SCHEMA
from lakelocal.errors import LocalError
from lakelocal.project import Project, State
from lakelocal.versions import DELTA, SPARK

if TYPE_CHECKING:
    from lakelocal.compute import Compute
    from lakelocal.compute.catalog_names import CatalogNames

TIMEOUT = 2.0  # s


def session_facts(compute: "Compute", names: "CatalogNames", folder: Path, *, connected: bool) -> dict[str, str]:
    """What is printed about the session of a kernel that was started in *folder*, in this order; never a token.

    The server is asked only if the session is *connected*, and not for long; otherwise the defaults are given.
    """
    found_facts = names.session_facts(TIMEOUT) if connected else ("", compute.state.catalog, DEFAULT_SCHEMA)
    version, catalog, schema = found_facts or ("", compute.state.catalog, "")
    own = not compute.remote
    found = {
        "Spark": f"{version or SPARK} with Delta {DELTA}" if own else version,
        "server": _own_server(compute.state) if own else compute.label,
        "catalog": catalog,
        "schema": schema,
        **_bundle(folder),
    }
    return {name: value for name, value in found.items() if value}


def as_text(found: Mapping[str, str]) -> str:
    """The facts *found* on one line."""
    return f"<SparkSession: {', '.join(f'{name} {value}' for name, value in found.items())}>"


def as_html(found: Mapping[str, str]) -> str:
    """The facts *found* as a small table."""
    left = ' style="text-align: left"'
    rows = "".join(
        f"<tr><th{left}>{html.escape(name)}</th><td{left}>{html.escape(value)}</td></tr>"
        for name, value in found.items()
    )
    return f"<table><tbody>{rows}</tbody></table>"


def _own_server(state: State) -> str:
    from lakelocal.server import find_server  # most kernels print no session

    server = find_server(state)
    return f"sc://localhost:{server.port} on this machine" if server else "on this machine, starts on first use"


def _bundle(folder: Path) -> dict[str, str]:
    from lakelocal.bundle import load_settings

    try:
        settings = load_settings(Project.find(folder), target=os.environ.get("LOCAL_TARGET"))
    except LocalError:  # a working session must be able to print itself, whatever is wrong with the bundle
        return {}
    return {"bundle": settings.name, "target": settings.target}
