"""What most customers of the same segment bought of late."""

import numpy as np
import pandas as pd

from db.columns import Columns as C
from models.recommenders.base import Places, Recommender, Scores, Tick
from models.recommenders.training import AGE, CUSTOMER, PRODUCT, Training
from models.wording import counted


class PopularSegment(Recommender):
    """Score = (buyers in the segment + smoothing x share of the shop) / (customers of the segment + smoothing).

    Buyers are those of the last `days` days. The mean of a beta distribution around the shop's share: the fewer
    customers a segment has, the nearer it stays to the shop. Customers without a segment get the shop's share.
    """

    name = "popular_segment"
    grid = tuple({"days": days, "smoothing": smoothing} for days in (28, 14, 56, 90) for smoothing in (100, 1_000))

    def _fit(self, training: Training, tick: Tick) -> None:
        days, smoothing = self.settings["days"], self.settings["smoothing"]
        self._segment_of, self._segments = pd.factorize(training.customers[C.SEGMENT])
        late = training.pairs[training.pairs[AGE] <= days]
        segment = self._segment_of[late[CUSTOMER]]
        shape = (len(self._segments), len(training.products))
        buyers = np.zeros(shape)
        np.add.at(buyers, (segment[segment >= 0], late.loc[segment >= 0, PRODUCT]), 1)
        sizes = np.bincount(self._segment_of[self._segment_of >= 0], minlength=len(self._segments))
        shop = training.buyers(days) / max(len(training.customers), 1)
        shares = (buyers + smoothing * shop) / (sizes[:, None] + smoothing)
        self._shares = np.vstack([shares, shop]).astype(np.float32)  # the last for who has none: place -1
        self._buyers = np.vstack([buyers, training.buyers(days)]).astype(int)
        tick()

    def _scores(self, rows: Places) -> Scores:
        return self._shares[self._segment_of[rows]]

    def _reasons(self, rows: Places, columns: Places) -> list[str]:
        segments = self._segment_of[rows]
        buyers = self._buyers[segments, columns].tolist()
        days = self.settings["days"]
        return [
            f"{counted(number, 'customer')}{f' of {self._segments[segment]}' if segment >= 0 else ''} bought it in the "
            f"last {days} days"
            for number, segment in zip(buyers, segments, strict=True)
        ]
