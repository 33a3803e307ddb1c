"""Where the files of a bundle are: nothing is copied to a workspace, so the path that they would have there is here.

`${workspace.file_path}/src` and `/Workspace/Users/ana/.bundle/shop/dev/files/src` then name the folder itself, as paths
of tasks and as texts in parameters.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lakelocal.bundle.documents import YamlMapping
from lakelocal.bundle.merge import copied, mapped


def at_local_files(tree: YamlMapping, file_path: str, folders: Sequence[Path]) -> YamlMapping:
    """*tree* with *file_path*, where its files would be, replaced in all texts of resources, variables and scripts.

    *folders* are those of the bundle's files; the folder around all of them is the one that is deployed.
    """
    local = os.path.commonpath(folders)
    short = file_path.removeprefix("/Workspace")  # how such a path is written in older bundles
    path = re.compile(rf"(?<![\w/.-])(?:/Workspace)?{re.escape(short)}(?![\w.-])")

    def change(text: str, place: Any) -> str:
        return path.sub(lambda found: local, text) if short in text else text

    result = copied(tree)
    for block in ("resources", "variables", "scripts"):
        if block in tree:
            result[block] = mapped(tree[block], change)
    return result
