"""Overlapping exports: a row that another load has already is not new, and passes on when that load is taken out.

Where the loads that stand have a row a, b, ... times, the record holds it max(a, b, ...) times: the n-th of equal rows
in a file is already loaded if the others hold at least n of it, and belongs to the first load that has so many. So what
the record holds does not depend on which loads were there for a while.

Where customers were erased, a row that names one is already loaded as well if a row of nobody's is the same in all
else: or an old export would bring back what was made anonymous, and count it twice.
"""

from typing import Any

from sqlalchemy import Connection, text

from db import known
from db.columns import Columns as C
from db.tally import ALREADY_LOADED, FACTS, LINES, Facts, in_one_pass

_KEY = (C.LOAD_ID, C.ROW_NUMBER)


def leave_out(connection: Connection, load_id: int) -> int:
    """Reject the rows of a load that others have already, each with the row that stands for it; gives how many.

    Lines are looked for in the months that the load shares with others; where it shares none this costs nothing.
    """
    left_out = 0
    for facts in FACTS.values():
        first, end = _shared(connection, load_id) if facts is LINES else _period(connection, load_id, facts)
        if first is not None:
            period = {"first": first, "end": end}
            left_out += _leave_out(connection, load_id, facts, period)
            if connection.execute(text("SELECT EXISTS (SELECT FROM erasure)")).scalar_one():
                nobodys = _leave_out(connection, load_id, facts, period, erased=True)
                if nobodys:
                    known.mention_no_more(connection, load_id)
                left_out += nobodys
    return left_out


def hand_over(connection: Connection, load_id: int) -> list[int]:
    """Pass the rows of a load that later loads left out because of it to the first of those; gives the heirs' numbers.

    Who else has such a row finds it with the heir from now on.
    """
    heirs = f"""
        CREATE TEMPORARY TABLE heir ON COMMIT DROP AS
        SELECT DISTINCT ON (gone) CAST(raw ->> 'row' AS bigint) AS gone, load_id, row_number
        FROM rejected_row
        WHERE reason = '{ALREADY_LOADED}' AND CAST(raw ->> 'load' AS integer) = :load_id
        ORDER BY gone, load_id
        """
    connection.execute(text("DROP TABLE IF EXISTS heir"))
    connection.execute(text(heirs), {"load_id": load_id})
    connection.execute(text("ANALYZE heir"))
    with in_one_pass(connection):
        for facts in FACTS.values():
            take = (
                f"UPDATE {facts.table.name} AS line SET load_id = heir.load_id, row_number = heir.row_number "
                "FROM heir WHERE line.load_id = :load_id AND line.row_number = heir.gone"
            )
            connection.execute(text(take), {"load_id": load_id})
        accept = (
            "DELETE FROM rejected_row AS row USING heir "
            "WHERE row.load_id = heir.load_id AND row.row_number = heir.row_number"
        )
        connection.execute(text(accept))
        told_anew = f"""
            UPDATE rejected_row AS row SET raw = jsonb_build_object('load', heir.load_id, 'row', heir.row_number)
            FROM heir
            WHERE reason = '{ALREADY_LOADED}' AND CAST(raw ->> 'load' AS integer) = :load_id
                AND CAST(raw ->> 'row' AS bigint) = heir.gone
            """
        connection.execute(text(told_anew), {"load_id": load_id})
    return list(connection.execute(text("SELECT DISTINCT load_id FROM heir ORDER BY 1")).scalars())


def _shared(connection: Connection, load_id: int) -> Any:
    """From the first to the end of the last month in which others have lines too; of nulls where there is none."""
    query = """
        SELECT CAST(min(month) || '-01' AS timestamp), CAST(max(month) || '-01' AS timestamp) + interval '1 month'
        FROM load AS mine, unnest(mine.months) AS month
        WHERE mine.load_id = :load_id AND mine.kind = 'orders' AND EXISTS (
            SELECT FROM load AS other WHERE other.status = 'done' AND other.kind = 'orders'
            AND other.load_id <> mine.load_id AND month = ANY (other.months)
        )
        """
    return connection.execute(text(query), {"load_id": load_id}).one()


def _period(connection: Connection, load_id: int, facts: Facts) -> Any:
    query = (
        f"SELECT min({facts.moment}), max({facts.moment}) + interval '1 second' FROM {facts.table.name} "
        "WHERE load_id = :load_id"
    )
    return connection.execute(text(query), {"load_id": load_id}).one()


def _leave_out(
    connection: Connection, load_id: int, facts: Facts, period: dict[str, Any], *, erased: bool = False
) -> int:
    """In hashes of 128 bits, because comparing twelve columns costs far more.

    `erased`: rows that name a customer, for which rows of nobody's stand.
    """
    table, moment = facts.table.name, facts.moment
    aside = (*_KEY, C.CUSTOMER_ID) if erased else _KEY
    content = ", ".join(column.name for column in facts.table.columns if column.name not in aside)
    within = f"AND {moment} >= :first AND {moment} < :end"
    same = f"hash_record_extended(ROW({content}), 0) AS one, hash_record_extended(ROW({content}), 1) AS two"

    def numbered(which: str) -> str:
        whose = f"AND customer_id IS {'NOT ' if which == '=' else ''}NULL" if erased else ""
        return (
            "SELECT *, row_number() OVER (PARTITION BY one, two ORDER BY load_id, row_number) AS nth "
            f"FROM (SELECT load_id, row_number, {same} FROM {table} WHERE load_id {which} :load_id {within} {whose}) "
            "AS row"
        )

    statement = f"""
        WITH mine AS ({numbered("=")}), others AS ({numbered("<>")}), gone AS (
            DELETE FROM {table} AS line USING mine JOIN others USING (one, two, nth)
            WHERE line.load_id = :load_id AND line.row_number = mine.row_number
            RETURNING line.row_number, {facts.amount} AS amount, {moment} AS moment,
                jsonb_build_object('load', others.load_id, 'row', others.row_number) AS standing
        )
        INSERT INTO rejected_row (load_id, row_number, reason, amount, ordered_at, raw)
        SELECT :load_id, row_number, '{ALREADY_LOADED}', amount, moment, standing FROM gone
        """
    with in_one_pass(connection):
        return connection.execute(text(statement), {"load_id": load_id, **period}).rowcount
