"""`python3 -m local.setup [--remote]`: create or repair `.venv` (`.venv-remote`), timing each step."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from lakelocal.errors import LocalError
from lakelocal.waiting import waiting
from local.setup import environment

ROOT = Path(__file__).resolve().parents[2]
REMOTE = "--remote"


def main(arguments: list[str]) -> int:
    """Return 0 when the environment is ready; otherwise 1, with one line that says what to do."""
    which = environment.REMOTE if REMOTE in arguments else environment.LOCAL
    steps: list[tuple[str, Callable[[Path, environment.Environment, environment.Tell], None]]] = [
        (f"Python environment {which.folder}", environment.make),
        ("lakelocal, and what every kernel loads", environment.install_emulator),
    ]
    if which is environment.LOCAL:  # the remote environment has no Spark of its own
        steps.append(("Delta's jars", environment.fetch_jars))
    try:
        for number, (what, step) in enumerate(steps, 1):
            print(f"set-up {number}/{len(steps)}: {what} ...", flush=True)
            start = time.monotonic()
            with waiting(f"set-up {number}/{len(steps)}") as wait:
                step(ROOT, which, wait.tell)
            print(f"set-up {number}/{len(steps)}: {what}: {time.monotonic() - start:.1f} s", flush=True)
    except LocalError as error:
        print(f"set-up failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("set-up interrupted; run the same command again to continue.", file=sys.stderr)
        return 130
    (ROOT / which.folder / ".ready").write_text("made by `python3 -m local.setup`\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
