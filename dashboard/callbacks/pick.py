"""The box on the Recommendations page that finds a customer by the start of the id."""

from typing import Any

from dash import Dash, Input, Output

from dashboard import ids
from dashboard.view import Views
from db.queries import recommendations
from errors import SnapshotError


def register(app: Dash, views: Views) -> None:
    """Typing asks for ids that start so; choosing one opens the customer (in the browser, see `browser`)."""

    @app.callback(Output(ids.PICK_CUSTOMER, "options"), Input(ids.PICK_CUSTOMER, "search_value"))
    def suggest(typed: Any) -> list[str]:
        try:
            return recommendations.customer_ids(
                views.snapshot(), str(typed or "").encode("utf-8", "replace").decode()[:200]
            )
        except SnapshotError:
            return []
