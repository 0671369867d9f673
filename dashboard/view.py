"""What one request sees, and what a page is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias
from urllib.parse import quote

import plotly.graph_objects as go

from dashboard import format as fmt
from dashboard.reference import seen
from dashboard.theme import Theme
from dashboard.who import viewer
from db.drill import Range
from db.filters import GROUPING_FIELDS, Filters, Period
from db.queries import shop
from db.runs import SEGMENTS
from db.scope import Scope
from db.secret import PSEUDONYMS, secret
from db.snapshot import Snapshot, newest_version, open_newest
from errors import SnapshotError
from permissions import OPERATOR, Right, Viewer
from settings import Consent, Settings

Component: TypeAlias = Any
"""A Dash component, or a list of them: Dash's own classes carry no types."""


@dataclass(frozen=True)
class View:
    """One snapshot, one set of filters, one theme: every number of one answer is of the same moment."""

    snapshot: Snapshot
    filters: Filters
    span: Period
    theme: Theme
    currency: str
    subject: str = ""
    """What the page is about where its address names something: a customer's id."""
    path: str = "/"
    """Where the page is that is shown."""
    viewer: Viewer = OPERATOR
    """What whoever looks may see; without their name, as all who may the same see the same."""
    consent: Consent = "opt-out"
    """Who may be contacted."""

    def may(self, right: Right) -> bool:
        """Whether whoever looks has a right."""
        return self.viewer.may(right)

    def leads(self, words: str) -> str:
        """Words that invite to go on to customers; none for those who may not see them."""
        return words if self.may(Right.CUSTOMERS) else ""

    @property
    def period(self) -> Period:
        """The days the numbers of this view cover."""
        return self.filters.period(self.span)

    @property
    def before(self) -> Period | None:
        """The days to compare with; None where the data do not cover them all."""
        compared = self.filters.compared(self.span)
        return compared if self.span.covers(compared) else None

    @property
    def before_in_words(self) -> str:
        """How the days to compare with are called, after "the"."""
        one = self.period.days == 1
        if self.filters.against == "year":
            return "same weekday a year before" if one else f"same {fmt.number(self.period.days)} days a year before"
        return "day before" if one else f"{fmt.number(self.period.days)} days before"

    @property
    def no_before_in_words(self) -> str:
        """Why there are no days to compare with."""
        return f"The data do not cover the {self.before_in_words}: they begin on {fmt.day(self.span.start)}."

    @property
    def lost_run(self) -> int | None:
        """The run that was asked for where it cannot be seen, and the published one is seen instead."""
        asked = self.filters.run
        here = (self.snapshot.run_id, self.snapshot.manifest.runs.get(SEGMENTS))
        return asked if asked not in here else None

    def href(self, path: str, **changes: Any) -> str:
        """The address of another page under the same filters, some of them changed."""
        return path + self.filters.but(**changes).query()

    def behind(self, *ranges: Range) -> str:
        """The address of the customers in ranges of their numbers, whatever the days."""
        return "/customers" + self.filters.but(start=None, end=None).within(*ranges).query()

    def customer_href(self, customer_id: str) -> str:
        """The address of one customer's page."""
        return self.href(f"/customers/{quote(customer_id, safe='')}")


class Views:
    """Opens views over the newest snapshot; a snapshot is opened once and shared by every request that sees it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._snapshot: Snapshot | None = None
        self._seen: dict[tuple[Scope, int | None], Snapshot] = {}
        """(who sees what, run) -> the snapshot as they see it, with the segments of an earlier run."""

    @property
    def currency(self) -> str:
        """The sign put before amounts."""
        return self._settings.currency

    def snapshot(self) -> Snapshot:
        """The newest snapshot as whoever asks may see it. Raises SnapshotError before the first load."""
        whole, scope = self._newest(), self._scope()
        if scope.is_all:
            return whole
        return self._kept(scope, None, lambda: whole.seen_through(scope)) or whole

    def _newest(self) -> Snapshot:
        held = self._snapshot
        if held is None or held.version != newest_version(self._settings.data_dir):
            held = self._snapshot = open_newest(self._settings.data_dir)
            self._seen = {}
        return held

    def _scope(self) -> Scope:
        who = viewer()
        is_hidden = self._settings.pseudonyms and not who.may(Right.IDENTITY)
        return Scope(who.countries, secret(self._settings, PSEUDONYMS) if is_hidden else None)

    def _kept(self, scope: Scope, run_id: int | None, make: Callable[[], Snapshot | None]) -> Snapshot | None:
        seen = self._seen.get((scope, run_id)) or make()
        if seen is not None:
            self._seen[scope, run_id] = seen
        return seen

    def is_empty(self) -> bool:
        """Whether nothing has been loaded yet. Raises SnapshotError where what was loaded is damaged."""
        return newest_version(self._settings.data_dir) is None or shop.span(self.snapshot()) is None

    def view(self, query: str, theme: Theme = "light", subject: str = "", path: str = "/") -> View:
        """A view of the newest snapshot. Raises SnapshotError where there is nothing to see."""
        snapshot = self.snapshot()
        span = shop.span(snapshot)
        if span is None:
            raise SnapshotError("Nothing has been loaded yet; run `python -m etl load FILE`.")
        seen(snapshot.version, snapshot.manifest.runs)
        filters = Filters.from_query(query).dated(span)
        of_run = self._of_run(snapshot, filters.run)
        seen_by, consent = replace(viewer(), name=""), self._settings.consent
        return View(of_run, filters, span, theme, self._settings.currency, subject, path, seen_by, consent)

    def _of_run(self, snapshot: Snapshot, run_id: int | None) -> Snapshot:
        """The snapshot with the segments of a run; where it has no such run, those of the published one."""
        if run_id is None:
            return snapshot
        return self._kept(snapshot.scope, run_id, lambda: snapshot.of_run(run_id)) or snapshot


Slot: TypeAlias = Callable[[View], Component]
Picture: TypeAlias = Callable[[View], go.Figure]


RESTRICTIONS = frozenset(
    {
        *("days", "countries", "departments", "categories", "products", "segments", "groups", "alternatives"),
        *("traits", "ranges", "move", "cohort", "bridge"),
    }
)
"""The filters, as fields of `Filters`; `days` are both ends of the period."""


@dataclass(frozen=True)
class Ignores:
    """The filters that a part of a page leaves out of account, and what its numbers are of instead."""

    fields: frozenset[str] = RESTRICTIONS
    of: str = ""
    but_grouping: bool = False
    """The filter by the grouping that is shown does apply."""
    is_control: bool = False
    """It shows what can be chosen, no numbers: it has nothing to say."""

    def within(self, filters: Filters) -> frozenset[str]:
        """The fields, under these filters."""
        return self.fields - {GROUPING_FIELDS[filters.by]} if self.but_grouping else self.fields

    @property
    def always(self) -> frozenset[str]:
        """The fields, whichever grouping is shown."""
        return self.fields - set(GROUPING_FIELDS.values()) if self.but_grouping else self.fields


CONTROL = Ignores(is_control=True)


@dataclass(frozen=True)
class Help:
    """The question a page answers, how its numbers are counted, and documents to read on: in words -> name in docs/."""

    answers: str
    counted: tuple[str, ...] = ()
    documents: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """One page: where it is, what it is called, and the slots that fill it.

    `layout` gives the page's frame at once, made of `components.states.slot` placeholders; each is then filled by the
    function of its name in `slots`, on its own and again whenever the filters change. A `components.graph.picture` is
    redrawn in place by the function of its name in `pictures`. A path that ends in `/` takes a subject after it.
    """

    path: str
    title: str
    layout: Callable[[Any], Component]
    slots: Mapping[str, Slot]
    pictures: Mapping[str, Picture] = field(default_factory=dict)
    icon: str | None = None
    """A name among the icons of `components.icons`; a page without one stands in no menu."""
    help: Help | None = None
    """What the help of the header shows here."""
    about: str | None = None
    """What of the filters needs to be known here, said under them."""
    ignoring: Mapping[str, Ignores] = field(default_factory=dict)
    """Slot or picture -> the filters it does not obey; `dashboard.scope` says so on the spot while they are active."""
    whole_history: bool = False
    """Whether no days in the address mean all days here, not the last weeks."""
    compares: bool = False
    """Whether anything here is held against the days compared with."""
    record: bool = False
    """Whether it reads the record, not a snapshot: it is there before the first load, and its layout takes None."""
