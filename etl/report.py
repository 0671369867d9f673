"""The account of a load as the commands print it: every row and every cent, month by month, and what it changed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from os.path import commonprefix

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from db.accounts import Account, Extent, Load
from db.queries.findings import Finding
from db.tally import ORDERS
from errors import one_line
from etl.load import Outcome


def account(told: Account) -> Iterator[RenderableType]:
    """What there is to say of a load, in parts for the console; of an undone one only what was read."""
    yield _headline(told)
    yield _reconciliation(told.load)
    if told.already_loaded:
        yield f"Already loaded: {', '.join(f'{rows:,} by load {load}' for load, rows in told.already_loaded.items())}."
    if told.months and told.load.rows_accepted:
        yield _months(told)
        yield _covered(told)
    elif told.load.status == "done":
        yield f"{counted(told.customers_new, 'customer')} and {counted(told.products_new, 'product')} are new."
    yield from (escape(one_line(remark)) for remark in told.load.options.get("remarks", ()))


def found(findings: Sequence[Finding]) -> Table:
    """One row a rule, with its largest example; none give the header alone."""
    table = _table("found", "lines", "amount", "such as")
    for finding in findings:
        row, order, product, detail = finding.examples[0]
        such = escape(one_line(f"row {row}, order {order}, {product}: {detail}"))
        table.add_row(finding.rule.replace("_", " "), f"{finding.rows:,}", _money(finding.amount), such)
    table.columns[-1].justify = "left"
    table.columns[-1].no_wrap = False
    return table


def listed(loads: Iterable[Load]) -> Table:
    """One row a load, with what was accepted of it, in the order given; none give the header alone."""
    table = _table("load", "name", "loaded (UTC)", "status", "accepted", "amount", text=4)
    for load in loads:
        accepted = f"{load.rows_accepted:,}", _money(load.amount_accepted)
        table.add_row(str(load.load_id), escape(load.name), _time(load), load.status, *accepted)
    return table


def summary(outcomes: Mapping[str, Outcome | None]) -> Table:
    """One row a file, named within the folder that all share, with what came of it; None: it could not be loaded."""
    table = _table("name", "load", "", "accepted", "rejected", "amount", text=3)
    folder = commonprefix(list(outcomes)).rpartition("/")[0]  # noqa: RUF071 (addresses are no paths)
    for file, outcome in outcomes.items():
        name = escape(one_line(file.removeprefix(folder).lstrip("/")))
        if outcome is None:
            table.add_row(name, "", "not loaded", "", "", "")
            continue
        load = outcome.load
        figures = f"{load.rows_accepted:,}", f"{load.rows_rejected:,}", _money(load.amount_accepted)
        table.add_row(name, str(load.load_id), "loaded" if outcome.fresh else "already loaded", *figures)
    return table


def counted(number: int, noun: str) -> str:
    """1 order, 2 orders."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _headline(account: Account) -> str:
    load = account.load
    told = {name: value for name, value in load.options.items() if isinstance(value, bool)}  # the mapping is long
    options = "".join(f", {name.replace('_', ' ')}: {'yes' if told[name] else 'no'}" for name in sorted(told))
    by = f" by load {account.replaced_by}" if account.replaced_by else ""
    kind = "" if load.kind == ORDERS else f", {load.kind}"
    instead = f", in place of load {load.replaces}" if load.replaces else ""
    name = f"{escape(load.name)}{kind}, {_time(load)} UTC{escape(options)}{instead}"
    return f"Load {load.load_id}, {load.status}{by}: {name}"


def _reconciliation(load: Load) -> Table:
    table = _table("", "rows", "amount")
    table.add_row("read", f"{load.rows_read:,}", _money(load.amount_read))
    table.add_row("accepted", f"{load.rows_accepted:,}", _money(load.amount_accepted))
    for reason, (rows, amount) in load.rejected.items():
        table.add_row(f"rejected: {reason.replace('_', ' ')}", f"{rows:,}", _money(amount))
    return table


def _months(told: Account) -> Table:
    refused = any(part.rejected_rows for part in told.months)
    table = _table("month", "rows", "amount", *(("rejected", "amount") if refused else ()))
    for part in told.months:
        rejected = (f"{part.rejected_rows:,}", _money(part.rejected_amount)) if refused else ()
        table.add_row(part.month, f"{part.rows:,}", _money(part.amount), *rejected)
    table.add_row("accepted", f"{told.load.rows_accepted:,}", _money(told.load.amount_accepted))
    return table


def _covered(told: Account) -> str:
    extent = told.extent
    return (
        f"{counted(extent.orders, 'order')} from {extent.first_ordered_at:%Y-%m-%d} "
        f"to {extent.last_ordered_at:%Y-%m-%d}, {counted(len(told.months), 'month')} touched; "
        f"{counted(extent.customers, 'customer')} ({told.customers_new:,} new), "
        f"{counted(extent.products, 'product')} ({told.products_new:,} new); {_guests(told.load, extent)}."
    )


def _guests(load: Load, extent: Extent) -> str:
    lines = f"{extent.guest_rows / load.rows_accepted:.1%} of the lines"
    if not load.amount_accepted:
        return f"{lines} are guests'"
    return f"{lines} and {extent.guest_amount / load.amount_accepted:.1%} of the amount are guests'"


def _table(*columns: str, text: int = 1) -> Table:
    """The first `text` columns hold words, the others numbers."""
    table = Table(*columns, box=None, header_style="dim")
    for place, column in enumerate(table.columns):
        column.justify = "left" if place < text else "right"
        column.no_wrap = column.header != "name"
    return table


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}"


def _time(load: Load) -> str:
    return f"{load.started_at:%Y-%m-%d %H:%M}"
