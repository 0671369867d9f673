"""What was found among the lines of a load."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from db.snapshot import Snapshot


@dataclass(frozen=True)
class Finding:
    """What a rule found among the lines of a load: lines, amount, up to 3 examples, the largest amounts first.

    db.findings.RULES says what the rule means. An example is the line's row number, its order, its product and what was
    found.
    """

    rule: str
    rows: int
    amount: Decimal
    examples: Sequence[tuple[int, str, str, str]]


def of_load(snapshot: Snapshot, load_id: int) -> list[Finding]:
    """The findings of a load by rule, most lines first.

    None where nothing was found, the load has no lines, or the snapshot was written before findings were.
    """
    if "line_flag" not in snapshot.manifest.tables:
        return []
    query = """
        SELECT rule, count(*) AS rows, sum(amount)::varchar AS amount,
            list((row_number, order_id, product_id, detail) ORDER BY abs(amount) DESC, row_number)[:3] AS examples
        FROM line_flag AS flag JOIN transaction_line AS line USING (load_id, row_number)
        WHERE load_id = ? GROUP BY rule ORDER BY rows DESC, rule
        """
    return [
        Finding(row["rule"], row["rows"], Decimal(row["amount"]), list(row["examples"]))
        for row in snapshot.frame(query, [load_id]).to_dict("records")
    ]
