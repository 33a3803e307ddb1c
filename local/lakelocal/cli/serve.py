"""`serve`: the workspace of this project, for the official CLI and SDKs, and for a browser."""

import argparse
import json
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from lakelocal.cli.scope import project_of
from lakelocal.cli.verbs import Verbs
from lakelocal.program import PROGRAM

if TYPE_CHECKING:
    from lakelocal.workspace.workspace import Workspace

DESCRIPTION = f"""\
Serve a workspace on this machine, in the foreground: the APIs that the Databricks CLI and SDKs call, and pages for a
browser. What they deploy and start is kept in the state of the project, as the runs of `{PROGRAM} run` are.

  {PROGRAM} serve                    at http://localhost:8080, for this machine only
  export DATABRICKS_HOST=http://localhost:8080 DATABRICKS_TOKEN=$(cat .local/.workspace/token)
  databricks bundle deploy && databricks bundle run daily

Ctrl-C ends it; runs that have begun continue.
"""


def add(verbs: Verbs) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "serve",
        help="serve a workspace for the Databricks CLI, the SDKs and the browser",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command=serve)
    parser.add_argument("--port", type=int, default=8080, metavar="N", help="default 8080; 0 takes a free one")
    parser.add_argument(
        "--host", default="localhost", metavar="NAME", help="where to listen (default: localhost); else TLS is needed"
    )
    parser.add_argument("--ssl-certfile", type=Path, metavar="FILE", help="the certificate for TLS, in PEM")
    parser.add_argument("--ssl-keyfile", type=Path, metavar="FILE", help="the certificate's private key, in PEM")
    parser.add_argument(
        "--allow-plain-http", action="store_true", help="with --host: without TLS, on a network that nobody listens to"
    )
    parser.add_argument("--json", action="store_true", help="print where it is as one line of JSON")


def serve(options: Namespace) -> int:
    """Serve until Ctrl-C."""
    from lakelocal.workspace.serve import Listening, serve  # imported here: other verbs need not pay for it

    listening = Listening(
        options.host, options.port, options.ssl_certfile, options.ssl_keyfile, options.allow_plain_http
    )
    serve(project_of(options), listening, lambda workspace: _say(workspace, options.json))
    return 0


def _say(workspace: "Workspace", as_json: bool) -> None:
    token = str(workspace.places.token)
    if as_json:
        print(json.dumps({"url": workspace.url, "token_file": token}), flush=True)
        return
    print(
        f"workspace of `{workspace.project.root}` at {workspace.url}; Ctrl-C ends it\n"
        f"  programs: export DATABRICKS_HOST={workspace.url} DATABRICKS_TOKEN=$(cat '{token}')\n"
        f"  browser:  {workspace.url}{workspace.gate.new_link()} (once, soon; later: {PROGRAM} runs open)",
        flush=True,
    )
