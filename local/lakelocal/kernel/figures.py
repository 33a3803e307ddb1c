"""Shows Matplotlib figures as pictures, even those made without pyplot, which IPython would show as text."""

import base64
import io
import sys
from typing import Any

from IPython.display import publish_display_data


def figure_of(thing: object) -> Any:
    """The figure of *thing*, which may be a figure, axes, or an array or list of axes; None for anything else.

    This does not import Matplotlib.
    """
    if "matplotlib" not in sys.modules:
        return None
    parts: Any = getattr(thing, "flat", thing)  # an array of axes, as `DataFrame.hist` of pandas returns
    first = next(iter(parts), None) if parts is not thing or isinstance(thing, (list, tuple)) else thing
    for found in (first, getattr(first, "figure", None)):
        if any(kind.__module__ == "matplotlib.figure" for kind in type(found).__mro__):
            return found
    return None


def publish_figure(figure: Any) -> None:
    """Send *figure* to the notebook, and close it in pyplot, which would show it again at the end of the cell."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png", bbox_inches="tight", metadata={"Software": None})
    data = {"image/png": base64.b64encode(picture.getvalue()).decode(), "text/plain": repr(figure)}
    publish_display_data(data)
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close(figure)
