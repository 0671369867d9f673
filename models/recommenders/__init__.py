"""All recommenders: a new one is one file and one line here; the evaluation and the contract tests then include it."""

from models.recommenders.base import Recommender
from models.recommenders.hybrid import Hybrid
from models.recommenders.own_history import OwnHistory
from models.recommenders.popular import Popular

RECOMMENDERS: tuple[type[Recommender], ...] = (Popular, OwnHistory, Hybrid)
