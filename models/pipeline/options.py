"""What a run may be asked for, and what of it is stored with the run."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from db import runs
from db.queries import features
from models.configuration import Plan, read_plan
from models.points import Transform
from models.rules import Rules, read_rules
from settings import Settings

_OF_RECOMMENDATIONS = ("windows", "tune", "quick", "force")
"""Options that change no segment."""


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
    rules: Rules = field(default_factory=lambda: read_rules(None))
    windows: int = 1
    """How many windows of the past recommendations are tested on."""
    tune: bool = False
    """Whether the baselines are tried with several settings first, on the windows before each of the test."""
    quick: bool = False
    """Fewer models, and shorter training."""
    force: bool = False
    """Whether recommendations are published whatever the test says."""

    def parameters(self, kind: str, settings: Settings) -> dict[str, Any]:
        """What decides a run's results beside the data and the moment; personas hold the currency."""
        left_out = {"as_of", "at", "plan", "rules", *(_OF_RECOMMENDATIONS if kind == runs.SEGMENTS else ())}
        parameters = {name: value for name, value in asdict(self).items() if name not in left_out}
        parameters |= {"at": [moment.isoformat() for moment in sorted(self.at)], "plan": self.plan.as_json()}
        if kind == runs.SEGMENTS:
            return {**parameters, "currency": settings.currency}
        return {**parameters, "rules": self.rules.as_json()}
