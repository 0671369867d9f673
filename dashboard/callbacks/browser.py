"""Callbacks that run in the browser alone; their functions stand in assets/app.js and assets/lists.js."""

from dash import ALL, MATCH, ClientsideFunction, Dash, Input, Output, State

from dashboard import ids


def register(app: Dash) -> None:
    """Theme, links that keep the filters, marks that lead somewhere, the page's title, the grid's refresh."""

    def run(function: str, *wiring: object, first: bool = False, of: str = "spectrum") -> None:
        app.clientside_callback(ClientsideFunction(of, function), *wiring, prevent_initial_call=not first)

    run("toggleTheme", Output(ids.THEME, "data"), Input("toggle-theme", "n_clicks"))
    run(
        "keepFilters",
        Output(ids.nav_link(ALL), "href"),
        Output(ids.nav_link(ALL), "className"),
        Input(ids.URL, "search"),
        Input(ids.URL, "pathname"),
        State(ids.nav_link(ALL), "id"),
        first=True,
    )
    run("stay", Output(ids.STAYED, "data"), Input(ids.URL, "search"), Input(ids.URL, "pathname"), first=True)
    marks = (Input(ids.graph(ALL), "clickData"), Input(ids.picture(ALL), "clickData"))
    run("followMark", Output(ids.NAV, "title"), *marks)
    run("followChoice", Output(ids.PAGE, "lang"), Input(ids.choice(ALL), "value"))
    for box in (ids.PICK_CUSTOMER, ids.PICK_PRODUCT):
        run("openPicked", Output(box, "value"), Input(box, "value"), State(box, "id"), State(ids.URL, "search"))
    rules = (Input(ids.rule(ALL), "value"), State(ids.rule(ALL), "id"), State(ids.URL, "search"))
    run("followRules", Output(ids.PAGE, "dir"), *rules)
    run("showRules", Output(ids.rule(ALL), "value"), Input(ids.URL, "search"), State(ids.rule(ALL), "id"))
    run("keepCamera", Output(ids.camera(MATCH), "data"), Input(ids.picture(MATCH), "relayoutData"))
    run("titlePage", Output(ids.PAGE, "title"), Input(ids.PAGE, "children"), first=True)
    for grid in (ids.GRID, ids.BUNDLES):
        run("refreshGrid", Output(grid, "className"), Input(ids.URL, "search"), State(grid, "id"))
    seen = Input(ids.GRID_COLUMNS, "value")
    run("showColumns", Output(ids.GRID_COLUMNS, "className"), seen, first=True, of="lists")
    run("search", Output(ids.GRID_SEARCH, "title"), Input(ids.GRID_SEARCH, "value"), of="lists")
    wanted = (Input(ids.DOWNLOAD_COLUMNS, "value"), Input(ids.DOWNLOAD_OFFERS, "value"))
    run("want", Output(ids.DOWNLOAD_COLUMNS, "className"), *wanted, first=True, of="lists")
    run("goOn", Output(ids.DATA_NEXT, "modified_timestamp"), Input(ids.DATA_NEXT, "data"))
    run("copyLink", Output(ids.COPY, "children"), Input(ids.COPY, "n_clicks"), State(ids.COPY, "children"))
