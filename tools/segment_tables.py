"""Write the tables of groups in docs/segments.md from the default file; `make docs` runs it, a test compares them."""

from collections.abc import Iterator
from pathlib import Path

from models.configuration import SCORES, GroupTable, read_plan

PAGE = Path(__file__).parents[1] / "docs" / "segments.md"

_BEGIN = "<!-- the tables of models/segments.toml, written by `make docs` -->\n"
_END = "<!-- end of the tables -->\n"


def page() -> str:
    """The page as it stands, with its tables as the default file has them."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return "\n".join([before + _BEGIN, *_tables(), _END + after])


def _tables() -> Iterator[str]:
    tables = sorted(read_plan(None).tables, key=lambda table: -table.from_customers)
    below = "and more"
    for table in tables:
        yield f"{table.from_customers:,} {below}: {len(table.groups)} groups.\n"
        yield from _grid(table)
        below = f"to {table.from_customers - 1:,}"
    yield from _plays(tables[0])


def _grid(table: GroupTable) -> Iterator[str]:
    names = {cell: f"{group.emoji} {group.name}" for group in table.groups for cell in group.cells()}
    yield f"| | {' | '.join(f'R {r}' for r in SCORES)} |"
    yield "| --- " * (len(SCORES) + 1) + "|"
    for fm in reversed(SCORES):
        yield f"| FM {fm} | {' | '.join(names[r, fm] for r in SCORES)} |"
    yield ""


def _plays(table: GroupTable) -> Iterator[str]:
    yield "| group | play | what to do |"
    yield "| --- | --- | --- |"
    for group in table.groups:
        yield f"| {group.emoji} {group.name} | {group.play.replace('_', ' ')} | {group.playbook} |"
    yield ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
