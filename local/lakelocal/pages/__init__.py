"""Recorded runs as HTML pages, for one file or for a server.

    run_file(run, changes)       # a run and its child runs as one file, which opens from disk

| module      | what it contains                                                      |
| ----------- | --------------------------------------------------------------------- |
| `run`       | what a page shows about a run, and the page of `runs export`          |
| `graph`     | pure: the task graph as boxes and lines, placed by `layout`           |
| `timeline`  | pure: attempts on a time axis                                         |
| `runs`, `jobs`, `tables` | what lists show, and one table                           |
| `chart`     | pure: a result as lines or bars                                       |
| `notebooks` | executed notebooks as HTML, without scripts                           |
| `links`     | the addresses that pages link to                                      |
| `rendering` | templates, style, script, and the policy that allows nothing else     |

Views are values, built by pure functions from `lakelocal.history.recorded`; templates only lay them out. A page
works without its script, by keyboard, and in a window of 400 pixels: `tests/browser` shows that.
"""

from lakelocal.pages.run import run_file

__all__ = ["run_file"]
