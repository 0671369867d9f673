"""Who asks."""

LOCAL = "local user"


def current_user() -> str:
    """The name that a list and a saved audience carry: there is no sign-in yet, and all who reach the page are one."""
    return LOCAL
