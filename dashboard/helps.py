"""What each page is for, in words: the question it answers, how its numbers are counted, where to read on."""

from dashboard.view import Help

OVERVIEW = Help(
    "How is business against the period before, what moved it, and who and what brings the revenue?",
    (
        "Net revenue is quantity times price less discount, returns taken off. The ? on a card defines its number.",
        "The comparison is the same number of days right before the period, where the data cover them all.",
        "Guests count in revenue and orders, never among customers or segments.",
    ),
    {"The rows a file must have": "mapping"},
)
SEGMENTS = Help(
    "Who are the customers, how do groups of them differ, what do they buy, and what should be done about each?",
    (
        "Recency is whole days since the last purchase, frequency different orders, monetary net revenue.",
        "Scores 1 to 5 are quintiles of all customers; equal values have equal scores.",
        "All of it is as of the run's moment, over the whole history: the period does not apply.",
    ),
    {"Scores, groups and clusters": "segments"},
)
VALUE = Help(
    "What will the customers bring, who is still active, whose revenue is at risk, and how good was the forecast?",
    (
        "Expected numbers are forecasts by BG/NBD and Gamma-Gamma for the customers of today; new ones come on top.",
        "Churn risk is the probability of no order in the next 90 days.",
        "The report card holds a forecast made in the same way against days that it had not seen.",
    ),
    {"The forecast and its test": "value"},
)
MOVEMENT = Help(
    "Who moved between segments and why, what made revenue change, and who comes back?",
    (
        "A customer who stands elsewhere at the later date moved: by buying, returning, going quiet, or because the "
        "yardstick moved.",
        "The bridge adds up to the cent; its parts are customers new, kept, won back and lapsed, and guests.",
        "A cohort is all customers whose first order lies in one month.",
    ),
    {"What counts as movement": "movement"},
)
CUSTOMERS = Help(
    "Which customers exactly? Sort by the head of a column, filter by the sign beside it, open one by its id.",
    (
        "Filters above and in the heads of columns work together; the line above the list says how many are left.",
        "By keyboard: Tab into the list, arrows to move, Enter on a head to sort, Enter on an id to open it.",
        "The download holds exactly the customers listed, save those who did not agree to be contacted.",
    ),
    {"Scores and groups": "segments", "The forecast": "value"},
)
CUSTOMER = Help(
    "What did this customer buy, which segment are they in, and what to offer them?",
    (
        "Everything is over the whole history; amounts are net of returns.",
        "New to them: products never bought. Buy again: products that are due.",
    ),
    {"How offers are found": "recommendations", "The forecast": "value"},
)
RECOMMENDATIONS = Help(
    "What to offer to whom and why, whom to write to about a product, and which products go together?",
    (
        "Lists are published only where they are clearly better than the best simple model on your own customers.",
        "Rules (prices, categories, buyers, variety) narrow what is shown and what is downloaded, never the score.",
        "Lift is how many times as often as by chance two products are bought together.",
    ),
    {"How offers are found and tested": "recommendations"},
)
QUALITY = Help(
    "How good is every model by every measure, how sure is that, and do the published lists still help?",
    (
        "Models are tested on the last days of the data, which they had not seen.",
        "NDCG@10 is 1 where the ten offers are all that was bought, best first, and 0 where none was.",
        "Intervals are 95%, by resampling customers; a difference is sure where its interval leaves out 0.",
    ),
    {"How models are tested": "recommendations"},
)
DATA = Help(
    "What is loaded, and where did every row and cent of each file go? Load another file here.",
    (
        "Read = accepted + rejected, to the cent. Rejected rows are downloaded, mended and dropped again.",
        "The same file twice counts once; a load can be taken out whole.",
        "A load and a run each land whole or leave nothing.",
    ),
    {"How a file is understood": "mapping", "Rules of cleaning": "data-quality"},
)
