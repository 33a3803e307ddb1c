"""For all tests: small servers that start fast, since most live for a minute; no user's state; and Spark is here."""

import os

os.environ.pop("LOCAL_STATE", None)
os.environ.setdefault("LOCAL_JIT", "fast-start")
os.environ.setdefault("LOCAL_MEMORY", "2g")
os.environ.pop("LOCAL_REMOTE", None)  # where the person who tests has Spark is no matter of theirs
