"""The filter controls and the address: each follows the other, and the address alone holds the state."""

from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, no_update

from dashboard import filter_bar, ids, periods
from dashboard.filter_bar import LIST_FIELDS, Option
from dashboard.pages import match
from dashboard.view import View, Views
from db.filters import Filters, Period
from db.queries import shop
from errors import SnapshotError

_VALUES: dict[str, Any] = {
    "preset": (ids.PRESET, "value"),
    "start": (ids.filter_field("start"), "value"),
    "end": (ids.filter_field("end"), "value"),
    "against": (ids.AGAINST, "value"),
    "lists": [(ids.filter_field(field), "value") for field in LIST_FIELDS],
    "traits": (ids.trait(ALL), "value"),
    "numbers": (ids.number(ALL, ALL), "value"),
}
"""What the controls say; the address gives it to them, and they to the address."""
_OPTIONS: dict[str, Any] = {
    "presets": (ids.PRESET, "options"),
    "of_lists": [(ids.filter_field(field), "options") for field in LIST_FIELDS],
    "of_traits": (ids.trait(ALL), "options"),
}
_OTHERS: dict[str, Any] = {
    "search": (ids.URL, "search"),
    "canonical": (ids.CANONICAL, "data"),
    "offered": (ids.OFFERED, "data"),
    "count": (ids.MORE_COUNT, "children"),
}


def register(app: Dash, views: Views) -> None:
    """One callback both ways, so that it cannot chase itself; and the canonical address in place of a hand-made one."""

    @app.callback(
        output=_wired(Output, _VALUES | _OPTIONS | _OTHERS),
        inputs={
            "search": Input(ids.URL, "search"),
            "pathname": Input(ids.URL, "pathname"),
            "said": _wired(Input, _VALUES),
            "names": State(ids.trait(ALL), "id"),
            "ends": State(ids.number(ALL, ALL), "id"),
            "offered": State(ids.OFFERED, "data"),
        },
    )
    def follow(
        search: str | None, pathname: str | None, said: dict[str, Any], names: Any, ends: Any, offered: Any
    ) -> dict[str, Any]:
        traits, numbers = [_part(id_, "name") for id_ in names], [(_part(i, "column"), _part(i, "end")) for i in ends]
        nothing = _all_no_update(len(traits), len(numbers))
        try:
            view = views.view(search or "")
        except SnapshotError:
            return nothing
        page, _ = match(pathname)
        wholly = page is not None and page.whole_history
        changed = ctx.triggered_id
        by_address = changed in (None, ids.URL)
        filters = Filters.from_query(search or "")
        if not by_address:  # the address may still lag behind what was chosen a moment ago
            filters = filter_bar.asked(
                filters,
                dict(zip(LIST_FIELDS, said["lists"], strict=True)),
                dict(zip(traits, said["traits"], strict=False)),
                dict(zip(numbers, said["numbers"], strict=False)),
                said["against"],
            )
        if changed == ids.PRESET:
            filters = _with_preset(filters, said["preset"], view.span, wholly=wholly)
        elif isinstance(changed, dict) and changed.get("field") in ("start", "end"):
            typed = Filters.from_query(f"?from={said['start'] or ''}&to={said['end'] or ''}")
            filters = filters.but(start=typed.start, end=typed.end)
        canonical = filters.query()
        is_new = canonical != (search or "")
        known = page is not None and not page.record  # a page of the record has an address of its own
        hand_made = {"search": search, "pathname": pathname, "canonical": canonical}
        return {
            **nothing,
            **_shown(filters, view.span, said["preset"], traits, numbers, wholly=wholly),
            **_offered(view, filters, traits, offered),
            "search": canonical if is_new and not by_address else no_update,
            "canonical": hand_made if is_new and by_address and known else no_update,
        }

    app.clientside_callback(
        ClientsideFunction("spectrum", "setAddress"),
        Output(ids.CANONICAL, "modified_timestamp"),
        Input(ids.CANONICAL, "data"),
        prevent_initial_call=True,
    )


def _wired(kind: Any, places: dict[str, Any]) -> dict[str, Any]:
    return {name: [kind(*one) for one in of] if isinstance(of, list) else kind(*of) for name, of in places.items()}


def _part(id_: Any, name: str) -> str:
    return str(id_.get(name)) if isinstance(id_, dict) else ""


def _all_no_update(traits: int, numbers: int) -> dict[str, Any]:
    many = {"lists": len(LIST_FIELDS), "of_lists": len(LIST_FIELDS), "numbers": numbers}
    many |= {"traits": traits, "of_traits": traits}
    return {name: [no_update] * many[name] if name in many else no_update for name in (_VALUES | _OPTIONS | _OTHERS)}


def _shown(
    filters: Filters, span: Period, preset: Any, traits: list[str], numbers: list[tuple[str, str]], *, wholly: bool
) -> dict[str, Any]:
    """What the controls say of the filters."""
    period = span if wholly and not (filters.start or filters.end) else filters.period(span)
    chosen = {name: [trait.value for trait in filters.traits if trait.name == name] for name in traits}
    tucked = len(filters.groups) + len(filters.alternatives) + len(filters.products) + len(filters.traits)
    tucked += len(filters.ranges)
    return {
        "preset": periods.name_of(period, span, preset),
        "start": period.start.isoformat(),
        "end": period.end.isoformat(),
        "against": filters.against,
        "lists": [list(getattr(filters, field)) for field in LIST_FIELDS],
        "traits": [chosen[name] for name in traits],
        "numbers": [filter_bar.shown(filters, column).get(end) for column, end in numbers],
        "count": f" ({tucked})" if tucked else "",
    }


def _offered(view: View, filters: Filters, traits: list[str], known: Any) -> dict[str, Any]:
    """What the controls offer; nothing new where the browser has it already."""
    choices = shop.choices(view.snapshot)
    offered = {field: tuple(getattr(choices, field, ())) for field in LIST_FIELDS}
    strange = {field: [v for v in getattr(filters, field) if v not in offered[field]] for field in LIST_FIELDS}
    of_attribute = {attribute.name: attribute.values for attribute in choices.attributes}
    beyond = [f"{field}:{value}" for field in LIST_FIELDS for value in strange[field]]
    beyond += [t.text() for t in filters.traits if t.value not in dict(of_attribute.get(t.name, ()))]
    what = filter_bar.offered(view.snapshot, beyond)
    if what == known:
        return {}
    names = shop.product_names(view.snapshot, filters.products) if filters.products else {}
    return {
        "presets": filter_bar.options_of_presets(view.span),
        "of_lists": [
            filter_bar.options_of_list(offered[field], strange[field], names if field == "products" else {})
            for field in LIST_FIELDS
        ],
        "of_traits": [_of_trait(name, of_attribute.get(name, ()), filters) for name in traits],
        "offered": what,
    }


def _of_trait(name: str, values: tuple[tuple[str, int], ...], filters: Filters) -> list[Option | str]:
    chosen = [trait.value for trait in filters.traits if trait.name == name]
    return [*filter_bar.options_of_attribute(values), *(value for value in chosen if value not in dict(values))]


def _with_preset(filters: Filters, preset: Any, span: Period, *, wholly: bool) -> Filters:
    """The days of a preset, whichever page they are chosen on; of all days none need be said where all are meant."""
    if preset == periods.ALL and wholly:
        return filters.but(start=None, end=None)
    days = periods.presets(span).get(str(preset))
    return filters.but(start=days.start, end=days.end) if days else filters
