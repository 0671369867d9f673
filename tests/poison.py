"""Texts that somebody hostile would put wherever a text may stand, and a shop whose names and ids are made of them."""

import random
from datetime import datetime, timedelta

import pyarrow as pa
from pyarrow import parquet
from sqlalchemy import Engine

from console import progress
from db import snapshot
from etl.load import load
from etl.readers import open_source
from models import pipeline
from settings import Settings

TEXTS: tuple[str, ...] = (
    "<script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    "__proto__",
    "<svg/onload=window.hacked=1>",
    '"><script>window.hacked=1</script>',
    "'\"><img src=x onerror=window.hacked=1>",
    "javascript:window.hacked=1",
    "</title><script>window.hacked=1</script>",
    "<a href=javascript:window.hacked=1>x</a>",
    "<iframe srcdoc='<script>parent.hacked=1</script>'>",
    "<b>bold</b><br>&amp;&lt;&#x3c;script&#x3e;",
    "{{7*7}}${7*7}#{7*7}<%= 7*7 %>",
    "${jndi:ldap://127.0.0.1/a}",
    "=HYPERLINK(\"http://127.0.0.1/?\"&A1,\"x\")",
    "=1+1",
    "+1+1",
    "-1+1|cmd",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\r=1+1",
    " =1+1",
    "＝1+1",
    "%3Cscript%3E",
    "'; DROP TABLE customer; --",
    "' OR '1'='1",
    '" OR ""="',
    "1; SELECT pg_sleep(9)",
    "x') UNION SELECT session_key FROM app_user --",
    "\\'; --",
    "../../../../etc/passwd",
    "..%2f..%2fsecret",
    "C:\\Windows\\win.ini",
    "a\u202egnp.exe",
    "a\u2066b\u2069c",
    "\u200bzero\u200cwidth\ufeff",
    "line\nbreak\r\nSet-Cookie: a=b",
    "bell\x07 escape\x1b[31m red",
    "e\u0301\u0302\u0303\u0304 zalgo",
    "😀🏴‍☠️",
    "null",
    "NaN",
    "-Infinity",
    "constructor",
    "1e999",
    "0x1f",
    "true",
    ",",
    ";",
    "..",
    ":",
    "a:b:c",
    "~",
    "%",
    "%00",
    "%zz",
    "?x=1&y=2#z",
    "x" * 3000,
)  # fmt: skip
"""Each may be typed, stand in an address, or in a cell of a file."""

UNWRITTEN = ("\x00", "\ud800")
"""What Postgres or UTF-8 cannot hold: for addresses and bodies alone."""


def made(settings: Settings, engine: Engine) -> Settings:
    """Load a shop in which every customer, product, category, department, country and order is called so."""
    rng = random.Random(5)
    rows = []
    for order in range(1500):
        who, moment = rng.choice(TEXTS), datetime.fromisoformat("2023-01-01") + timedelta(hours=rng.randrange(9000))
        for _ in range(rng.randint(1, 3)):
            what = rng.randrange(len(TEXTS))
            rows.append(
                {
                    "order_id": f"{TEXTS[order % len(TEXTS)]}{order}",
                    "customer_id": who,
                    "product_id": TEXTS[what],
                    "product_name": TEXTS[what - 1],
                    "category": TEXTS[what % 7],
                    "department": TEXTS[what % 3],
                    "brand": TEXTS[what % 5],
                    "country": TEXTS[len(who) % 11],
                    "ordered_at": moment,
                    "quantity": 1,
                    "unit_price": round(rng.uniform(1, 30), 2),
                }
            )
    path = settings.data_dir / "orders.parquet"
    parquet.write_table(pa.Table.from_pylist(rows), path)
    load(engine, open_source(str(path)))
    snapshot.refresh(engine, settings.data_dir)
    pipeline.run(engine, settings, pipeline.Options(quick=True, force=True), progress())
    return settings
