"""Who asks: as the sign-in says in a request, else the operator, who calls a command."""

from flask import has_request_context
from flask_login import current_user

from permissions import NOBODY, OPERATOR, Viewer


def viewer() -> Viewer:
    """Whose request it is."""
    if not has_request_context():
        return OPERATOR
    found: Viewer = getattr(current_user, "viewer", NOBODY)
    return found
