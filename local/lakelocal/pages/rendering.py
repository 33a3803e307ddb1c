"""Templates and what all of them share: the style, the script, and the formats of values.

A page contains its style and its script, so it loads nothing else, and its policy allows the browser to run exactly
this script: nothing that a notebook printed, and nothing from another server. Whatever a template inserts is escaped,
unless it is already `Markup`.
"""

import base64
import functools
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from lakelocal.history.recorded import utc
from lakelocal.history.records import now_ms
from lakelocal.jobs.views import duration
from lakelocal.kernel import table
from lakelocal.lakeflow.update_progress import tone_of
from lakelocal.pages.chart import is_number
from lakelocal.pages.update import clock, update_part
from lakelocal.quarantine import is_quarantine

FOLDER = Path(__file__).parent


def render(template: str, **values: object) -> str:
    """The page made from *template*, a file of `templates/`, with *values*."""
    return _environment().get_template(template).render(**values)


def script_policy() -> str:
    """The Content-Security-Policy of a page: its own style and script, pictures within it, its own server."""
    digest = base64.b64encode(hashlib.sha256(_script().encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'"
    )


@functools.cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(duration=duration, moment=moment, code=code, tone=tone_of, pixels=pixels, clock=clock)
    made.tests.update(quarantine=is_quarantine, number_type=is_number)
    made.globals.update(
        policy=script_policy(),
        script=Markup(_script()),
        style=Markup(_style()),
        code_style=code_style,
        now=now_ms,
        warning=warning,
        update_part=update_part,
    )
    return made


def code(text: str) -> Markup:
    """*text* with each part between backticks as code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # one backtick has no counterpart
        return escape(text)
    return Markup().join(Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(parts))


def moment(ms: int) -> Markup:
    """*ms* (epoch ms) as `2018-09-02 06:00:00 UTC`; the script adds the local time as a tooltip."""
    at = datetime.fromtimestamp(ms / 1000, UTC)
    return Markup('<time datetime="{}">{} UTC</time>').format(at.isoformat(timespec="seconds"), utc(ms))


def warning(rule: Mapping[str, Any]) -> str:
    """Which health rule was exceeded, and when."""
    return f"{rule['metric']} {rule['op']} {rule['value']} since {utc(rule['exceeded_at'])} UTC"


def pixels(number: float) -> str:
    """*number* with at most one digit after the point."""
    return f"{number:.1f}".removesuffix(".0")


@functools.cache
def _script() -> str:
    return f"const makeTableWork = {table.script()};\n{(FOLDER / 'page.js').read_text(encoding='utf-8')}"


@functools.cache
def _style() -> str:
    return (FOLDER / "page.css").read_text(encoding="utf-8") + table.style()


@functools.cache
def code_style() -> Markup:
    """The CSS of highlighted code, for light and dark mode."""
    from pygments.formatters import HtmlFormatter  # only pages with notebooks need it

    light, dark = (HtmlFormatter(style=style).get_style_defs(".highlight") for style in ("default", "github-dark"))
    return Markup(f"{light}\n@media screen and (prefers-color-scheme: dark) {{\n{dark}\n}}")
