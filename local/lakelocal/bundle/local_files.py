"""Replaces the path that a bundle's files would have in a workspace by the one that they have on this machine.

Nothing is copied to a workspace, so `${workspace.file_path}/src` and `/Workspace/Users/ana/.bundle/shop/dev/files/src`
have to name the bundle's own folder, in the paths of tasks as well as in the texts of parameters.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lakelocal.bundle.documents import YamlMapping
from lakelocal.bundle.merge import map_texts, shallow_copy


def with_local_paths(tree: YamlMapping, file_path: str, folders: Sequence[Path]) -> YamlMapping:
    """*tree* with *file_path* replaced in all texts of its resources, variables and scripts.

    *folders* are those of the bundle's files; the folder that contains all of them is the one that is deployed.
    """
    local = os.path.commonpath(folders)
    short = file_path.removeprefix("/Workspace")  # how such a path is written in older bundles
    path = re.compile(rf"(?<![\w/.-])(?:/Workspace)?{re.escape(short)}(?![\w.-])")

    def change(text: str, place: Any) -> str:
        return path.sub(lambda found: local, text) if short in text else text

    result = shallow_copy(tree)
    for block in ("resources", "variables", "scripts"):
        if block in tree:
            result[block] = map_texts(tree[block], change)
    return result
