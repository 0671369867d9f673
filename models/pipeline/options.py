"""What a run may be asked for, and what of it is stored with the run."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from db import runs
from db.queries import features
from models.configuration import Plan, read_plan
from models.points import Transform
from settings import Settings


@dataclass(frozen=True)
class Options:
    """What a run may be asked for; stored with it."""

    as_of: datetime | None = None
    """The moment the models look back from; None for the last order's time plus one day."""
    returns: features.Returns = "net"
    transform: Transform = "log"
    clusters: int | None = None
    n_init: int = 10
    seed: int = 42
    holdout_days: int | None = None
    months: int = 12
    """How many months back the movement of customers is followed."""
    at: tuple[datetime, ...] = ()
    """Further moments at which it is told how customers stood."""
    plan: Plan = field(default_factory=lambda: read_plan(None))

    def parameters(self, kind: str, settings: Settings) -> dict[str, Any]:
        """What decides a run's results beside the data and the moment; personas hold the currency."""
        left_out = ("as_of", "at", "plan")
        parameters = {name: value for name, value in asdict(self).items() if name not in left_out}
        parameters |= {"at": [moment.isoformat() for moment in sorted(self.at)], "plan": self.plan.as_json()}
        return {**parameters, "currency": settings.currency} if kind == runs.SEGMENTS else parameters
