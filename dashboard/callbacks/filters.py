"""The filter controls and the address: each follows the other, and the address alone holds the state."""

from datetime import timedelta
from typing import Any

from dash import Dash, Input, Output, ctx, no_update

from dashboard import ids
from dashboard.pages import match
from dashboard.shell import LIST_FIELDS, PRESETS
from dashboard.view import Views
from db.filters import Filters, Period
from db.queries import shop
from errors import SnapshotError


def register(app: Dash, views: Views) -> None:
    """One callback both ways, so that it cannot chase itself."""

    @app.callback(
        Output(ids.URL, "search"),
        Output(ids.PRESET, "value"),
        Output(ids.filter_field("start"), "value"),
        Output(ids.filter_field("end"), "value"),
        *[Output(ids.filter_field(field), "options") for field in LIST_FIELDS],
        *[Output(ids.filter_field(field), "value") for field in LIST_FIELDS],
        Input(ids.URL, "search"),
        Input(ids.URL, "pathname"),
        Input(ids.PRESET, "value"),
        Input(ids.filter_field("start"), "value"),
        Input(ids.filter_field("end"), "value"),
        *[Input(ids.filter_field(field), "value") for field in LIST_FIELDS],
    )
    def follow(
        search: str | None, pathname: str | None, preset: str | None, start: str | None, end: str | None, *lists: Any
    ) -> tuple[Any, ...]:
        filters = Filters.from_query(search or "")
        try:
            view = views.view(search or "")
        except SnapshotError:
            return (no_update,) * (4 + 2 * len(LIST_FIELDS))
        span, choices = view.span, shop.choices(view.snapshot)
        page, _ = match(pathname)
        wholly = page is not None and page.whole_history
        changed = ctx.triggered_id
        if changed not in (None, ids.URL):  # the address may still lag behind what was chosen a moment ago
            chosen = zip(LIST_FIELDS, lists, strict=True)
            filters = filters.but(**{field: tuple(sorted(map(str, values or ()))) for field, values in chosen})
        if changed == ids.PRESET:
            filters = _with_preset(filters, preset, span, wholly=wholly)
        elif isinstance(changed, dict) and changed.get("field") in ("start", "end"):
            typed = Filters.from_query(f"?from={start or ''}&to={end or ''}")
            filters = filters.but(start=typed.start, end=typed.end)
        period = span if wholly and not (filters.start or filters.end) else filters.period(span)
        canonical = filters.query()
        return (
            no_update if canonical == (search or "") or changed == ids.URL or changed is None else canonical,
            _preset_of(period, span),
            period.start.isoformat(),
            period.end.isoformat(),
            *[_options(getattr(choices, field), getattr(filters, field)) for field in LIST_FIELDS],
            *[list(getattr(filters, field)) for field in LIST_FIELDS],
        )


def _options(choices: tuple[str, ...], chosen: tuple[str, ...]) -> list[str]:
    """What a list control offers: a value that no choice knows any more stays visible, it does not vanish unsaid."""
    return [*choices, *(value for value in chosen if value not in choices)]


def _with_preset(filters: Filters, preset: str | None, span: Period, *, wholly: bool) -> Filters:
    """The days of a preset, whichever page they are chosen on; of all days none need be said where all are meant."""
    if preset == "all":
        return filters.but(start=None, end=None) if wholly else filters.but(start=span.start, end=span.end)
    if preset in PRESETS and (preset or "").isdigit():
        return filters.but(start=span.end - timedelta(days=int(preset or 0) - 1), end=span.end)
    return filters


def _preset_of(period: Period, span: Period) -> str:
    """The preset that names these days, or `custom`."""
    if (period.start, period.end) == (span.start, span.end):
        return "all"
    if period.end == span.end and str(period.days) in PRESETS:
        return str(period.days)
    return "custom"
