"""Where and by whom a bundle is deployed: its paths in a workspace, and the current user, who here is the local one.

Source: Databricks CLI 1.13, `bundle/config/mutator`: `default_workspace_root.go`, `expand_workspace_root.go`,
`default_workspace_paths.go`, `prepend_workspace_prefix.go`, `populate_current_user.go`; `libs/iamutil/user.go`.
"""

import getpass
import hashlib
import os
import re
import unicodedata
from typing import Any

from lakelocal.bundle.documents import YamlMapping, place_of
from lakelocal.bundle.merge import map_texts, shallow_copy
from lakelocal.lakeflow.findings import Findings, Place

USER_VARIABLE = "LOCAL_USER"
"""The environment variable with the user's name in a workspace; by default, that is the name of the local login."""

PATHS = {"file_path": "files", "resource_path": "resources", "artifact_path": "artifacts", "state_path": "state"}
_DOUBLE = re.compile(r"/Workspace/?(?=\$\{workspace\.(?:root|file|artifact|state|resource)_path\})")
_PREFIXES = ("/Workspace/", "/Volumes/", "${workspace.root_path}/")


def with_workspace(tree: YamlMapping, *, target: str) -> YamlMapping:
    """*tree* with all paths in `workspace`, the current user, and the name of the target in `bundle`."""
    result = shallow_copy(tree)
    bundle = _block(tree, "bundle")
    name = bundle.get("name")
    for field in ("target", "environment"):
        bundle.put(field, target, bundle.place)
    result.put("bundle", bundle, bundle.place)
    workspace = _block(tree, "workspace")
    root = str(workspace.get("root_path") or f"~/.bundle/{name}/{target}")
    if root.startswith("~/"):
        root = f"/Workspace/Users/{user_name()}/{root[2:]}"
    _set(workspace, "root_path", root)
    for field, folder in PATHS.items():
        _set(workspace, field, str(workspace.get(field) or f"{root}/{folder}"))
    for field in ("root_path", *PATHS):
        if workspace[field].startswith("/") and not workspace[field].startswith(_PREFIXES):
            workspace[field] = f"/Workspace{workspace[field]}"
    workspace.put("current_user", current_user(), workspace.place)
    result.put("workspace", workspace, workspace.place)
    return result


def check_paths(tree: YamlMapping, findings: Findings) -> None:
    """Add to *findings* the first path of *tree*, other than that of artifacts, which is in a volume.

    Source: Databricks CLI 1.13, `validate_volume_path.go`.
    """
    for field in ("root_path", "file_path", "state_path", "resource_path"):
        path = ("workspace", field)
        value, where = str(tree["workspace"][field]), findings.at(place_of(tree, path, tree.place), path=path)
        if value.startswith("/Volumes/"):
            expected, action = "a folder of the workspace", "Move it there: only `artifact_path` may be in a volume."
            findings.add("workspace-path", f"the {field} `{value}`", expected, action, where)
            break


def without_double_prefix(tree: YamlMapping, findings: Findings) -> YamlMapping:
    """*tree* with `/Workspace` removed before references to paths of the workspace, which begin with it already.

    Source: Databricks CLI 1.13, `rewrite_workspace_prefix.go`.
    """

    def change(text: str, place: Place) -> str:
        rewritten = _DOUBLE.sub("", text)
        if rewritten != text:
            found = f"`/Workspace` before a path that already begins with it, in `{text}`"
            findings.add("double-prefix", found, f"`{rewritten}`", "Remove it.", findings.at(place))
        return rewritten

    result: YamlMapping = map_texts(tree, change, tree.place)
    return result


def user_name() -> str:
    """The name of the user who deploys."""
    return os.environ.get(USER_VARIABLE) or getpass.getuser()


def current_user() -> dict[str, Any]:
    """The fields of `workspace.current_user` that are known here."""
    name = user_name()
    short = identifier(name.partition("@")[0])
    return {
        "id": str(int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big")),
        "userName": name,
        "displayName": name,
        "emails": [{"value": name, "type": "work", "primary": True}],
        "short_name": short,
        "domain_friendly_name": re.sub(r"[^a-z0-9]", "-", _without_marks(short).lower()),
    }


def identifier(text: str) -> str:
    """*text* as an identifier: `Ana.Lee` becomes `ana_lee`."""
    return re.sub(r"[\W_]+", "_", text.lower()).strip("_")


def _without_marks(text: str) -> str:
    return "".join(each for each in unicodedata.normalize("NFD", text) if unicodedata.category(each) != "Mn")


def _block(tree: YamlMapping, name: str) -> YamlMapping:
    block = tree.get(name)
    return shallow_copy(block) if isinstance(block, YamlMapping) else YamlMapping(tree.place)


def _set(table: YamlMapping, field: str, value: Any) -> None:
    table.put(field, value, table.places.get(field, table.place))
