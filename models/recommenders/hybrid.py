"""LightFM hybrid: customers and products are their ids and what is known of them, which also serves who is new."""

from models.recommenders.content import Content, content, customer_traits, product_traits
from models.recommenders.factorised import Factorised
from models.recommenders.training import Training

_MIN_BUYERS = 3


class Hybrid(Factorised):
    """Customers: id, country, attributes, segment. Products: id, category, department, brand, price band or words.

    Customers who never bought, and products of fewer than 3 buyers, are their traits alone.
    """

    name = "hybrid"
    grid = (
        {
            "factors": 32,
            "fading_days": 60,
            "max_sampled": 30,
            "customer_content": 0.3,
            "product_content": 3.0,
            "trend": 1.0,
            "newness": 1.5,
            "epochs": None,
            "quick": False,
        },
    )

    def _content(self, training: Training) -> tuple[Content, Content]:
        bought = training.bought.getnnz(axis=1) > 0
        supported = training.buyers() >= _MIN_BUYERS
        return (
            content(customer_traits(training.customers), bought, self.settings["customer_content"]),
            content(product_traits(training.products), supported, self.settings["product_content"]),
        )
