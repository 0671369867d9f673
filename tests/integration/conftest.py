"""What the integration tests share: the sample's shop as it is read, from the snapshot and from the record."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from db.engine import make_engine
from db.snapshot import Snapshot, open_newest
from settings import Settings


@pytest.fixture(scope="module")
def snapshot(sample_shop: Settings) -> Snapshot:
    """The newest snapshot of the sample's shop."""
    return open_newest(sample_shop.data_dir)


@pytest.fixture(scope="module")
def record(sample_shop: Settings) -> Iterator[Engine]:
    """An engine on the database of the sample's shop."""
    engine = make_engine(sample_shop)
    yield engine
    engine.dispose()
