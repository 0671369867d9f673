"""Every id that more than one file knows. Ids of one component in one file stay there."""

URL = "url"
THEME = "theme"
STAYED = "stayed"
FRAME = "frame"
AWAY = "database-away"
PAGE = "page"
NAV = "nav"
HELP = "page-help"
PRESET = "filter-preset"
AGAINST = "filter-against"
MORE_COUNT = "more-count"
OFFERED = "filters-offered"
CANONICAL = "canonical-address"
COPY = "copy-link"
GRID = "customer-grid"
GRID_COLUMNS = "customer-grid-columns"
GRID_COUNT = "customer-grid-count"
GRID_SEARCH = "customer-search"
DOWNLOAD = "customer-download"
DOWNLOAD_COLUMNS = "download-columns"
DOWNLOAD_OFFERS = "download-offers"
AUDIENCE_NAME = "audience-name"
AUDIENCE_SAVE = "audience-save"
AUDIENCE_SAID = "audience-said"
AUDIENCES_BODY = "audiences-body"
AUDIENCES_SAID = "audiences-said"
AUDIENCES_CHANGED = "audiences-changed"
PICK_CUSTOMER = "pick-customer"
PICK_PRODUCT = "pick-product"
BUNDLES = "bundle-grid"
BUNDLE_COUNT = "bundle-count"
BUNDLE_DOWNLOAD = "bundle-download"
DATA_BODY = "data-body"
DATA_SAID = "data-said"
DATA_NEXT = "data-next"
DATA_POLL = "data-poll"


def shell_slot(name: str) -> dict[str, str]:
    """A slot around every page, which stays when another page is opened."""
    return {"type": "shell-slot", "name": name}


def slot(name: str) -> dict[str, str]:
    """The place on a page that one query-and-component function fills."""
    return {"type": "slot", "name": name}


def filter_field(field: str) -> dict[str, str]:
    """The control of one field of `db.filters.Filters`."""
    return {"type": "filter", "field": field}


def trait(name: object) -> dict[str, object]:
    """The control of an attribute of customers."""
    return {"type": "trait", "name": name}


def number(column: object, end: object) -> dict[str, object]:
    """The control of one end of the range of a customer's number."""
    return {"type": "number", "column": column, "end": end}


def graph(name: str) -> dict[str, str]:
    """A plot whose marks lead somewhere when clicked."""
    return {"type": "graph", "name": name}


def picture(name: str) -> dict[str, str]:
    """A plot that stays where it is while its figure changes, so that what a visitor turned stays turned."""
    return {"type": "picture", "name": name}


def camera(name: str) -> dict[str, str]:
    """Where the visitor last left the camera of a picture."""
    return {"type": "camera", "name": name}


def choice(name: str) -> dict[str, str]:
    """A control of one page whose values are addresses."""
    return {"type": "choice", "name": name}


def data_action(name: object) -> dict[str, object]:
    """A button of the Data page."""
    return {"type": "data-action", "name": name}


def meaning(name: object) -> dict[str, object]:
    """The choice of the column that has a meaning."""
    return {"type": "meaning", "name": name}


def how(name: object) -> dict[str, object]:
    """The choice of how an uploaded file is written."""
    return {"type": "how", "name": name}


def audience_count(audience: object) -> dict[str, object]:
    """How many customers a saved audience has."""
    return {"type": "audience-count", "audience": audience}


def audience_name(audience: object) -> dict[str, object]:
    """The new name of a saved audience."""
    return {"type": "audience-name", "audience": audience}


def audience_action(do: object, audience: object) -> dict[str, object]:
    """A button of a saved audience."""
    return {"type": "audience-action", "do": do, "audience": audience}


def nav_link(path: str) -> dict[str, str]:
    """A link that keeps the filters of the view it leaves."""
    return {"type": "nav", "path": path}


def rule(name: object) -> dict[str, object]:
    """The control of one field of `db.offer_rules.OfferRules`."""
    return {"type": "rule", "name": name}
