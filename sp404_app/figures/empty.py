"""The figure of a plot that has not been loaded."""

from typing import Final

import plotly.graph_objects as go

# Each new tab copies and receives the defaults of all states. Plotly's default template would be
# 7 kB of it, and its copy takes 13 ms of the event loop.
EMPTY_FIGURE: Final = go.Figure(layout={"template": "none"})
