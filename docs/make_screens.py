"""Make the two pictures of the README from a real run: `.venv/bin/python docs/make_screens.py`.

Runs `make run-local` in a terminal of tmux, on a state of its own, then takes the last screen of the terminal
(`terminal.svg`) and the page of the run (`page.png`). Needs tmux and Chromium, and takes some minutes.
"""

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.text import Text

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
COLUMNS, LINES = 100, 40
PAGE_SIZE = "1280,860"
LIMIT = 1800  # seconds for the run
LARGEST = 300_000  # bytes of a picture: everybody who clones the repository gets it
FONT_OF_THE_WEB = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # a picture must not ask another host for anything


def main() -> None:
    """Run the job once and write both pictures."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LOCAL_STATE"] = f"{folder}/state"
        screen = last_screen("make --no-print-directory run-local", Path(folder) / "tmux")
        write(DOCS / "terminal.svg", drawn(f"$ make run-local\n{screen}").encode())
        page = Path(folder) / "run.html"
        local("runs", "export", "latest", "-o", str(page))
        write(DOCS / "page.png", photographed(page, Path(folder) / "page.png"))
        local("down")


def last_screen(command: str, socket: Path) -> str:
    """The screen when *command* has ended, with the escapes of its colours."""
    tmux = ["tmux", "-S", str(socket)]
    size = ["-x", str(COLUMNS), "-y", str(LINES)]
    subprocess.run([*tmux, "new-session", "-d", *size, f"cd {ROOT} && {command}; cat"], check=True)
    try:
        limit = time.monotonic() + LIMIT
        while time.monotonic() < limit:
            running = subprocess.run(
                [*tmux, "list-panes", "-F", "#{pane_current_command}"], capture_output=True, text=True
            )
            if running.stdout.strip() == "cat":
                return subprocess.run([*tmux, "capture-pane", "-e", "-p"], capture_output=True, text=True).stdout
            time.sleep(1)
    finally:
        subprocess.run([*tmux, "kill-server"], check=True)
    sys.exit(f"`{command}` has not ended within {LIMIT} s")


def drawn(screen: str) -> str:
    """The *screen* as SVG."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(screen.rstrip()))
    return FONT_OF_THE_WEB.sub("", console.export_svg(title="make run-local"))


def photographed(page: Path, place: Path) -> bytes:
    """The top of *page* as PNG, in Chromium."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        sys.exit("found no Chromium; install it, for example with `apt-get install chromium`")
    options = ["--headless", "--no-sandbox", "--hide-scrollbars", f"--window-size={PAGE_SIZE}", f"--screenshot={place}"]
    subprocess.run([browser, *options, page.as_uri()], check=True, capture_output=True, timeout=120)
    return place.read_bytes()


def write(place: Path, content: bytes) -> None:
    """Keep *content*, unless it is too large."""
    if len(content) > LARGEST:
        sys.exit(f"{place.name}: found {len(content):,} bytes; expected {LARGEST:,} at most")
    place.write_bytes(content)
    print(f"{place.relative_to(ROOT)}: {len(content):,} bytes")


def local(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "local", *words], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
