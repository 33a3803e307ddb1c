"""For all tests: servers that start fast and stay small, since most of them live for a minute; no user's state."""

import os

os.environ.pop("LOCAL_STATE", None)
os.environ.setdefault("LOCAL_JIT", "fast-start")
os.environ.setdefault("LOCAL_MEMORY", "2g")
