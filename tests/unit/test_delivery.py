"""A list is called complete only where every row was written and every byte was taken; whatever else happens, never."""

import socket
import struct
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from io import BytesIO

import openpyxl
import pyarrow as pa
import pytest

from dashboard.arrival import arrived
from dashboard.manifest import Deliveries, Delivery, Piece, Sending
from dashboard.sheets import as_csv, as_xlsx

PIECES: list[Piece] = [(b"head\n", 0), (b"a\nb\n", 2), (b"c\n", 1)]


def test_what_was_read_to_its_end_is_complete_with_its_checksum() -> None:
    delivery = Delivery(3, {"file": "x.csv"})
    sending = Sending(delivery, iter(PIECES))
    content = b"".join(sending)
    assert delivery.progress()["state"] == "running"
    assert delivery.manifest() is None
    sending.close()
    told = delivery.manifest()
    assert told is not None
    assert (told["file"], told["complete"], told["rows"], told["bytes"]) == ("x.csv", True, 3, len(content))
    assert told["sha256"] == sha256(content).hexdigest()


def test_a_client_that_leaves_early_or_takes_not_all_is_never_complete() -> None:
    left = Delivery(3, {})
    sending = Sending(left, iter(PIECES))
    assert [next(sending), next(sending)] == [b"head\n", b"a\nb\n"]
    sending.close()
    assert (left.state, left.delivered, left.manifest()) == ("broken", 0, None)
    untaken = Delivery(3, {})
    sending = Sending(untaken, iter(PIECES))
    sending.arrived = lambda: False
    assert b"".join(sending).endswith(b"c\n")
    sending.close()
    assert (untaken.state, untaken.manifest()) == ("broken", None)
    asked_for_its_head_alone = Delivery(3, {})
    Sending(asked_for_its_head_alone, iter(PIECES)).close()
    assert asked_for_its_head_alone.state == "broken"


@pytest.mark.parametrize("rows", [2, 4])
def test_rows_that_do_not_add_up_end_the_response_with_an_error(rows: int) -> None:
    delivery = Delivery(rows, {})
    with pytest.raises(RuntimeError, match=f"The list has {rows} rows but 3 were read"):
        b"".join(Sending(delivery, iter(PIECES)))
    assert delivery.state == "broken"


def test_a_read_that_fails_is_broken_and_an_empty_piece_is_never_sent() -> None:
    def failing() -> Iterator[Piece]:
        yield b"", 1
        yield b"a", 1
        raise OSError("disk")

    delivery = Delivery(9, {})
    sending = Sending(delivery, failing())
    assert next(sending) == b"a"
    with pytest.raises(OSError, match="disk"):
        next(sending)
    assert delivery.state == "broken"


def test_a_name_is_used_once_and_none_that_was_not_given_is_taken() -> None:
    known = Deliveries()
    name = known.announce("me")
    assert known.progress("me", name) == {"state": "waiting"}
    first, second = Delivery(1, {}), Delivery(1, {})
    assert known.begin("me", name, first) == name
    assert known.begin("me", name, second) != name
    assert known.begin("me", "chosen-by-somebody", second) != "chosen-by-somebody"
    assert known.progress("me", "chosen-by-somebody") is None
    first.end(complete=False)
    assert known.begin("me", name, second) == name  # the browser tries again
    assert known.manifest("me", name) is None


def connected() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        return server.accept()[0], client


def test_bytes_that_lie_unread_when_the_client_closes_have_not_arrived() -> None:
    ours, client = connected()
    ours.sendall(b"x" * 10_000)
    client.recv(100)
    client.close()
    assert not arrived({"gunicorn.socket": ours})
    ours.close()


@pytest.mark.parametrize("closes", [True, False])
def test_bytes_that_were_read_have_arrived(closes: bool) -> None:
    ours, client = connected()
    ours.sendall(b"x" * 100)
    assert client.recv(1_000) == b"x" * 100
    if closes:
        client.close()
    assert arrived({"gunicorn.socket": ours})
    ours.close()
    client.close()


def test_a_reset_connection_has_not_taken_the_list() -> None:
    ours, client = connected()
    ours.sendall(b"x")
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    assert not arrived({"gunicorn.socket": ours})
    ours.close()


BATCH = pa.record_batch(
    {
        "who": ["=1+1", "plain", None, "+a", "@b", "-c", "\tx", "new\nline", 'quo"te', "\x01", "ü €"],
        "spend": [-7.5, 0.0, None, 1e9, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0],
        "at": [datetime.fromisoformat("2017-03-01 10:30")] * 9 + [None, datetime.fromisoformat("0850-01-01")],
    }
)


def test_excel_holds_the_cells_as_they_are_and_none_is_a_formula() -> None:
    pieces = list(as_xlsx(BATCH.schema.names, iter([BATCH]), {"filters": ["Segment: =1+1", "b"], "rows": 11}))
    assert sum(rows for _, rows in pieces) == BATCH.num_rows
    book = openpyxl.load_workbook(BytesIO(b"".join(content for content, _ in pieces)))
    sheet = book["List"]
    assert [cell.value for cell in sheet[1]] == ["who", "spend", "at"]
    assert [sheet.cell(row + 2, 1).value for row in range(9)] == BATCH.column("who").to_pylist()[:9]
    assert [sheet.cell(row + 2, 2).value for row in range(11)] == BATCH.column("spend").to_pylist()
    assert sheet.cell(2, 3).value == datetime.fromisoformat("2017-03-01 10:30")
    cells = [cell for row in sheet.iter_rows() for cell in row] + [cell for row in book["About"] for cell in row]
    assert not [cell.coordinate for cell in cells if cell.data_type == "f"]
    assert [sheet.cell(row, 1).quotePrefix for row in (2, 3, 5)] == [True, False, True]
    assert book["About"]["B1"].value == "Segment: =1+1; b"


def test_csv_guards_the_same_cells() -> None:
    lines = b"".join(content for content, _ in as_csv(["who"], iter([BATCH.select(["who"])]), {})).decode()
    assert lines.startswith('"who"\n"\'=1+1"\n"plain"\n')
    assert '"\'+a"\n"\'@b"\n"\'-c"\n"\'\tx"\n' in lines


def test_a_text_too_long_for_excel_breaks_the_list_and_is_not_left_out() -> None:
    batch = pa.record_batch({"who": ["x" * 40_000]})
    with pytest.raises(RuntimeError, match="Row 1 has a cell that Excel does not hold"):
        list(as_xlsx(["who"], iter([batch]), {}))
