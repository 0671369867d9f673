"""The boxes that find a customer by the start of the id, and a product by a part of its name or the start of its id."""

from typing import Any

from dash import Dash, Input, Output, State

from dashboard import ids
from dashboard.view import Views
from db.queries import audience, recommendations
from errors import SnapshotError

_LONGEST = 200


def register(app: Dash, views: Views) -> None:
    """Typing asks for what fits; choosing opens the page of its offers (in the browser, see `browser`)."""

    @app.callback(Output(ids.PICK_CUSTOMER, "options"), Input(ids.PICK_CUSTOMER, "search_value"))
    def customers(typed: Any) -> list[str]:
        try:
            return recommendations.customer_ids(views.snapshot(), _text(typed))
        except SnapshotError:
            return []

    @app.callback(Output(ids.PICK_PRODUCT, "options"), Input(ids.PICK_PRODUCT, "search_value"))
    def products(typed: Any) -> list[dict[str, str]]:
        return matching(typed)

    filtered = ids.filter_field("products")

    @app.callback(
        Output(filtered, "options", allow_duplicate=True),
        Input(filtered, "search_value"),
        State(filtered, "value"),
        State(filtered, "options"),
        prevent_initial_call=True,
    )
    def filtered_products(typed: Any, chosen: Any, offered: Any) -> list[Any]:
        """What is chosen stays among the options: a dropdown lets go of what is not."""
        both = isinstance(chosen, list) and isinstance(offered, list)
        kept = [of for of in offered if _value(of) in chosen] if both else []
        return [*kept, *(of for of in matching(typed) if of["value"] not in map(_value, kept))]

    def matching(typed: Any) -> list[dict[str, str]]:
        try:
            found = audience.matching(views.snapshot(), _text(typed))
        except SnapshotError:
            return []
        pairs = zip(found["name"], found["product_id"], strict=True)
        named = ((name if name == product_id else f"{name} · {product_id}", product_id) for name, product_id in pairs)
        return [{"label": label, "value": value, "search": f"{label} {_text(typed)}"} for label, value in named]


def _value(option: Any) -> Any:
    return option.get("value") if isinstance(option, dict) else option


def _text(typed: Any) -> str:
    return str(typed or "").encode("utf-8", "replace").decode()[:_LONGEST]
