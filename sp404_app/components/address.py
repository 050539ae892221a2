"""The URL that the tab shows now.

The server learns of a new URL later than the tab shows it. Until then the state of a page holds
what belongs to the URL before it.
"""

import reflex as rx
from reflex.vars import VarData
from reflex_base.utils.imports import ImportVar

_PATH = rx.Var(
    "openPath.toLowerCase()",
    _var_type=str,
    _var_data=VarData(
        imports={"react-router": [ImportVar(tag="useLocation")]},
        hooks={"const { pathname: openPath } = useLocation();": None},
    ),
)


def is_open(identifier: str) -> rx.Var[bool]:
    """Return whether the tab is at the URL of a sample, collection or project."""
    return _PATH.to(str).contains(identifier)
