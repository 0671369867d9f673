"""No room: one sentence, exit code 2, nothing half there, and it goes through once there is room.

The room is bounded by the kernel, as the largest size of a file (RLIMIT_FSIZE): every library meets a write that really
fails, with EFBIG instead of ENOSPC. `test_postgres_away` does the same to Postgres.
"""

import resource
from pathlib import Path

import pytest

from dashboard import jobs
from db import accounts
from tests.faults import apart, asking, content
from tests.faults.conftest import Base, Copy, Tried, lines


def is_one_sentence(code: int, said: str) -> bool:
    return code == 2 and said.startswith("error: ") and said.count("\n") == 1 and "Traceback" not in said


@pytest.mark.parametrize("most_bytes", [0, 10_000, 60_000])
def test_a_load_without_room_for_its_notes_changes_nothing(
    base: Base, shop: Copy, tried: Tried, most_bytes: int
) -> None:
    before, shown = content.record(shop.engine, exact=True), content.shown(shop.settings.data_dir)
    code, said = apart.command(shop.settings, "etl", "load", str(base.more), most_bytes=most_bytes)
    tried("disk full: a load", f"{most_bytes} bytes")
    assert is_one_sentence(code, said), said
    assert "(File too large) and nothing was changed; see that there is room in" in said
    assert content.record(shop.engine, exact=True) == before
    assert content.shown(shop.settings.data_dir) == shown
    assert apart.command(shop.settings, "etl", "load", str(base.more)) == (0, "")
    content.must_be_settled(shop.engine, shop.settings.data_dir)


@pytest.mark.parametrize("most_bytes", [0, 5_000, 20_000, 100_000, 400_000, 1_000_000])
def test_a_snapshot_without_room_leaves_the_one_before(base: Base, shop: Copy, tried: Tried, most_bytes: int) -> None:
    shown = content.shown(shop.settings.data_dir)
    apart.done(apart.load_only, shop.settings, base.more)
    stands = content.record(shop.engine, exact=True)
    code, said = apart.command(shop.settings, "db", "snapshot", most_bytes=most_bytes)
    tried("disk full: a snapshot", f"{most_bytes} bytes")
    assert is_one_sentence(code, said), said
    assert "cannot be written (" in said
    assert "`python -m db snapshot` makes a snapshot of it." in said
    assert content.shown(shop.settings.data_dir) == shown
    assert content.record(shop.engine, exact=True) == stands
    assert not (shop.settings.data_dir / "snapshots" / "building").exists(), "or a full disk stays full"
    assert apart.command(shop.settings, "db", "snapshot") == (0, "")
    content.must_be_settled(shop.engine, shop.settings.data_dir)


@pytest.mark.parametrize("most_bytes", [0, 2_000, 30_000])
def test_a_run_without_room_for_its_snapshot_is_in_the_record(shop: Copy, tried: Tried, most_bytes: int) -> None:
    shown, before = content.shown(shop.settings.data_dir), content.published(shop.engine)
    command = ("run", "--quick", "--force", "--months", "2", "--holdout-days", "28")
    code, said = apart.command(shop.settings, "models", *command, most_bytes=most_bytes)
    tried("disk full: a run", f"{most_bytes} bytes")
    assert is_one_sentence(code, said), said
    assert content.shown(shop.settings.data_dir) == shown
    assert content.published(shop.engine)["segments"] > before["segments"]
    assert content.half_there(shop.engine) == []
    assert apart.command(shop.settings, "models", *command) == (0, "")
    assert all(run_id > before[kind] for kind, run_id in content.published(shop.engine).items())
    content.must_be_settled(shop.engine, shop.settings.data_dir)


@pytest.mark.parametrize("most_bytes", [0, 60_000])
def test_an_upload_without_room_is_not_kept(shop: Copy, tried: Tried, most_bytes: int) -> None:
    visitor = asking.client(shop.settings)
    body = lines(4_000, seed=5).to_csv(index=False).encode()
    headers = {"X-File-Name": "orders.csv"}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, hard))
    try:
        reply = visitor.post("/upload", data=body, headers=headers)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    tried("disk full: an upload", f"{most_bytes} bytes")
    assert (reply.status_code, reply.get_json()["error"].count("there is no room left on the server's disk")) == (
        400,
        1,
    )
    assert jobs.uploads(shop.settings) == []
    assert list(shop.settings.data_dir.glob("uploads/*")) == []
    assert visitor.post("/upload", data=body, headers=headers).status_code == 200


@pytest.mark.parametrize("most_bytes", [0, 3_000])
def test_rejected_rows_without_room_leave_no_file(
    base: Base, shop: Copy, tried: Tried, tmp_path: Path, most_bytes: int
) -> None:
    apart.done(apart.load_file, shop.settings, base.more)
    number = accounts.all_loads(shop.engine)[0].load_id
    file = tmp_path / "rejected.csv"
    code, said = apart.command(shop.settings, "etl", "rejected", str(number), "--to", str(file), most_bytes=most_bytes)
    tried("disk full: a file of rejected rows", f"{most_bytes} bytes")
    assert is_one_sentence(code, said), said
    assert list(tmp_path.glob("rejected*")) == []
    assert apart.command(shop.settings, "etl", "rejected", str(number), "--to", str(file))[0] == 0
    assert len(file.read_text().splitlines()) > 1_000
