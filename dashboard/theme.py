"""The looks in one place: tokens as CSS variables, and the plotly templates made from the same tokens."""

from typing import Any, Literal

import plotly.graph_objects as go

Theme = Literal["light", "dark"]

TOKENS: dict[str, tuple[str, str]] = {
    "background": ("#F7F8FA", "#0C111D"),
    "surface": ("#FFFFFF", "#161B26"),
    "sunken": ("#F2F4F7", "#1F242F"),
    "border": ("#E4E7EC", "#333741"),
    "text": ("#101828", "#F5F5F6"),
    "muted": ("#667085", "#94969C"),
    "accent": ("#3538CD", "#8098F9"),
    "tint": ("#EEF0FE", "#20264A"),
    "up": ("#067647", "#47CD89"),
    "down": ("#B42318", "#F97066"),
    "faint": ("#D0D5DD", "#4A4F5C"),
}
"""Name -> (light, dark)."""

SEGMENT_COLOURS = {
    "champions": "#0072B2",
    "loyal": "#009E73",
    "new": "#56B4E9",
    "attention": "#E69F00",
    "at_risk": "#D55E00",
    "lost": "#CC79A7",
    "other": "#7F7F7F",
}
"""Colour key of a segment profile -> a colour that holds in both themes and for the common colour deficiencies."""

_CAMERA = {"eye": {"x": 1.25, "y": -1.45, "z": 0.55}, "center": {"x": 0, "y": 0, "z": -0.12}}

FONT = (
    'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", Arial, '
    '"Apple Color Emoji", "Segoe UI Emoji", "Noto Color Emoji", sans-serif'
)


def as_theme(value: object) -> Theme:
    """The theme a browser says it shows; light where it says nothing known."""
    return "dark" if value == "dark" else "light"


def token(name: str, theme: Theme) -> str:
    """One colour of the theme."""
    return TOKENS[name][theme == "dark"]


def faded(colour: str, opacity: float) -> str:
    """A colour (#RRGGBB) that lets what is under it through."""
    red, green, blue = _parts(colour)
    return f"rgba({red},{green},{blue},{opacity})"


def mixed(colour: str, other: str, share: float) -> str:
    """A colour that is to a share the first (both #RRGGBB), for where nothing shines through."""
    red, green, blue = (round(share * a + (1 - share) * b) for a, b in zip(_parts(colour), _parts(other), strict=True))
    return f"rgb({red},{green},{blue})"


def _parts(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def css() -> str:
    """The tokens and the segment colours as CSS variables for both themes."""

    def block(selector: str, theme: Theme) -> str:
        variables = "".join(f"--{name}:{token(name, theme)};" for name in TOKENS)
        return f"{selector}{{{variables}}}"

    segments = "".join(f"--segment-{key.replace('_', '-')}:{value};" for key, value in SEGMENT_COLOURS.items())
    return (
        f":root{{--font:{FONT};{segments}}}"
        + block(":root,[data-bs-theme=light]", "light")
        + block("[data-bs-theme=dark]", "dark")
    )


def template(theme: Theme) -> go.layout.Template:
    """The plotly template: no frame, few grid lines, the page's own font and colours."""
    text, muted, border = (token(name, theme) for name in ("text", "muted", "border"))
    axis: dict[str, Any] = {
        "showgrid": False,
        "zeroline": False,
        "showline": False,
        "ticks": "",
        "automargin": True,
        "ticklabelstandoff": 6,
        "tickfont": {"color": muted, "size": 12},
        "title": {"font": {"color": muted, "size": 12}},
        "gridcolor": border,
        "linecolor": border,
    }
    scene = {
        "showgrid": True,
        "gridcolor": border,
        "zeroline": False,
        "showbackground": False,
        "color": muted,
        "showspikes": False,
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "color": text, "size": 12},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorway": [token("accent", theme), *SEGMENT_COLOURS.values()],
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "xaxis": axis,
            "yaxis": {**axis, "showgrid": True, "nticks": 5},
            "scene": {"xaxis": scene, "yaxis": scene, "zaxis": scene, "dragmode": "turntable", "camera": _CAMERA},
            "hoverlabel": {
                "bgcolor": token("surface", theme),
                "bordercolor": border,
                "font": {"color": text, "family": FONT, "size": 12},
                "align": "left",
            },
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": muted, "activecolor": text},
            "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "font": {"color": text, "size": 12}},
            "bargap": 0.35,
            "dragmode": False,  # a finger on a plot scrolls the page
        }
    )
