"""Pages for people: recorded runs as HTML, for a file and for a server.

    run_file(run, changes)       # a run with everything below it as one file, which opens from disk

| module      | what it has                                                           |
| ----------- | --------------------------------------------------------------------- |
| `run`       | what a page shows of a run, and the page of `runs export`             |
| `graph`     | pure: the task graph as boxes and lines, placed by `layout`           |
| `timeline`  | pure: attempts on a time axis                                         |
| `runs`, `jobs`, `tables` | what lists show, and one table                           |
| `chart`     | pure: a result as lines or bars                                       |
| `notebooks` | executed notebooks as HTML, without anything that could act           |
| `links`     | where pages lead                                                      |
| `rendering` | templates, style, script, and the policy that allows nothing else     |

Views are values, built by pure functions from `lakelocal.history.recorded`; templates only write them down. A page
works without its script, by keyboard, and in a window of 400 pixels: `tests/browser` shows that.
"""

from lakelocal.pages.run import run_file

__all__ = ["run_file"]
