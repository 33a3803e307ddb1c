"""A real browser for tests of pages: the Chromium or Chrome of the machine, without a window, driven by Playwright.

Playwright is used because it waits until an element can be used, so no test sleeps, and because it shows a page as a
narrow window, in dark mode, without scripts, or to a screen reader. It never downloads a browser here. In an image of a
cloud, a browser is run by root and has little shared memory: hence the two options.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS = ["--no-sandbox", "--disable-dev-shm-usage"]


def chromium() -> str | None:
    """The path of a browser of this machine; None if there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def opened_browser() -> Iterator[Browser]:
    """A browser, or a skipped test where the machine has none.

    Not for a whole session: while it is open, its thread has a running event loop, and no other test there may start
    one of its own.
    """
    program = chromium()
    if program is None:
        pytest.skip(f"found none of {', '.join(NAMES)}; `apt-get install chromium` brings one")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=OPTIONS)
        try:
            yield browser
        finally:
            browser.close()
