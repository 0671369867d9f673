"""The menu of whoever is signed in: who they are, their account, and the way out."""

from dash import dcc, html

from dashboard.view import Component
from permissions import Right, Viewer


def user_menu(who: Viewer, token: str) -> Component:
    """`token` is what the form of signing out brings against forged ones."""
    links = [html.A("Your account", href="/account")]
    links += [html.A("Users", href="/users")] if who.may(Right.USERS) else []
    links += [html.A("Audit log", href="/audit")] if who.may(Right.AUDIT) else []
    what = f"{who.role}, {', '.join(who.countries)}" if who.countries else str(who.role)
    out = html.Form(
        [
            dcc.Input(type="hidden", name="csrf_token", value=token),
            html.Button("Sign out", type="submit", className="button"),
        ],
        method="post",
        action="/sign-out",
    )
    told = html.P([html.Strong(who.name), html.Br(), html.Span(what, className="secondary")])
    return html.Details(
        [
            html.Summary(who.name[:1].upper(), className="button square", title=f"{who.name}, {what}"),
            html.Div([told, *links, out]),
        ],
        className="chooser user-menu",
    )
