"""Read -> fit -> evaluate -> gate -> write -> publish: segments first, recommendations when they are there."""

from models.pipeline.options import Options
from models.pipeline.run import Outcome, is_current, run

__all__ = ["Options", "Outcome", "is_current", "run"]
