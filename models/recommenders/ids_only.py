"""LightFM on who bought what alone: what the hybrid's features are measured against."""

from models.recommenders.content import Content, identity
from models.recommenders.factorised import Factorised
from models.recommenders.training import Training


class IdsOnly(Factorised):
    """The hybrid's fit, weights and early stopping without any trait, without what sells of late or is new.

    Who never bought, and what nobody did, has no factors: they are listed by the products' biases.
    """

    name = "lightfm_ids"
    grid = (
        {
            "factors": 32,
            "fading_days": 60,
            "max_sampled": 30,
            "trend": 0.0,
            "newness": 0.0,
            "epochs": None,
            "quick": False,
        },
    )

    def _content(self, training: Training) -> tuple[Content, Content]:
        return identity(training.bought.getnnz(axis=1) > 0), identity(training.buyers() > 0)
