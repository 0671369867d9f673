"""The few icons of the product, drawn as inline pictures so that nothing is fetched."""

from base64 import b64encode

from dash import html

from dashboard.view import Component

_PATHS = {
    "overview": "M3 3h8v8H3zM13 3h8v5h-8zM13 10h8v11h-8zM3 13h8v8H3z",
    "segments": "M12 3a9 9 0 1 0 9 9h-9zM14 3v7h7a7 7 0 0 0-7-7z",
    "movement": "M4 8h13M13 4l4 4-4 4M20 16H7M11 12l-4 4 4 4",
    "value": "M4 20V10M10 20V4M16 20v-7M22 20H2",
    "customers": "M4 6h16M4 12h16M4 18h16",
    "recommendations": "M12 3l2.4 6.2L21 12l-6.6 2.8L12 21l-2.4-6.2L3 12l6.6-2.8z",
    "quality": "M4 13l5 5L20 6",
    "data": "M4 6c0-4 16-4 16 0v12c0 4-16 4-16 0zM4 6c0 4 16 4 16 0M4 12c0 4 16 4 16 0",
    "theme": "M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18",
    "download": "M12 4v11M7 11l5 5 5-5M4 20h16",
    "link": "M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6-.5l-3 3a4 4 0 0 0 6 6l1-1",
}


def icon(name: str) -> Component:
    """An icon in the colour of the text around it, hidden from screen readers: the words beside it say it all."""
    picture = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="black" stroke-width="2" '
        f'stroke-linecap="round" stroke-linejoin="round"><path d="{_PATHS[name]}"/></svg>'
    )
    address = f"url(data:image/svg+xml;base64,{b64encode(picture.encode()).decode()})"
    return html.Span(
        className="icon", style={"maskImage": address, "WebkitMaskImage": address}, **{"aria-hidden": "true"}
    )
