"""All recommenders: a new one is one file and one line here; the evaluation and the contract tests then include it."""

from models.recommenders.als import Als
from models.recommenders.base import Recommender
from models.recommenders.ease import Ease
from models.recommenders.hybrid import Hybrid
from models.recommenders.ids_only import IdsOnly
from models.recommenders.item_knn import ItemKNN
from models.recommenders.own_history import OwnHistory
from models.recommenders.popular import Popular
from models.recommenders.popular_segment import PopularSegment
from models.recommenders.ranker import Ranker
from models.recommenders.user_knn import UserKNN

RECOMMENDERS: tuple[type[Recommender], ...] = (
    Popular,
    PopularSegment,
    OwnHistory,
    ItemKNN,
    UserKNN,
    Ease,
    Als,
    IdsOnly,
    Hybrid,
    Ranker,
)
