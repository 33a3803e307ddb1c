"""For all tests: servers that start fast and stay small, since most of them live for a minute; and Spark is here."""

import os

os.environ.setdefault("LOCAL_JIT", "fast-start")
os.environ.setdefault("LOCAL_MEMORY", "2g")
os.environ.pop("LOCAL_REMOTE", None)  # where the person who tests has Spark is no matter of theirs
