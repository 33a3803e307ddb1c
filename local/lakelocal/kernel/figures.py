"""Figures of matplotlib as pictures, also those that were made without pyplot, which IPython shows as text."""

import base64
import io
import sys
from typing import Any

from IPython.display import publish_display_data


def figure_of(thing: object) -> Any:
    """The figure that *thing* is, or is a part of (axes, an array or a list of them); None where it is neither.

    Looks without importing matplotlib.
    """
    if "matplotlib" not in sys.modules:
        return None
    parts: Any = getattr(thing, "flat", thing)  # an array of axes, as `DataFrame.hist` of pandas gives
    first = next(iter(parts), None) if parts is not thing or isinstance(thing, (list, tuple)) else thing
    for found in (first, getattr(first, "figure", None)):
        if any(kind.__module__ == "matplotlib.figure" for kind in type(found).__mro__):
            return found
    return None


def publish_figure(figure: Any) -> None:
    """Send *figure* to the notebook; pyplot, which would show it once more at the end of the cell, forgets it."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png", bbox_inches="tight", metadata={"Software": None})
    data = {"image/png": base64.b64encode(picture.getvalue()).decode(), "text/plain": repr(figure)}
    publish_display_data(data)
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close(figure)
