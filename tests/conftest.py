"""For all tests: servers that start fast and stay small, since most live for a minute; nothing of the user counts."""

import os

for name in ("LOCAL_STATE", "LOCAL_REMOTE"):
    os.environ.pop(name, None)
os.environ.setdefault("LOCAL_JIT", "fast-start")
os.environ.setdefault("LOCAL_MEMORY", "2g")
