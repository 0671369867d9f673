"""A shop as each earlier revision of the schema could hold it, in plain SQL: revision -> what came with it.

Rows that a revision can hold are those of all revisions up to it. Numbers of loads and runs come from the database, as
ever.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from db import revisions

_FIRST = """
INSERT INTO load (name, sha256, status, options, rows_read, rows_accepted, rows_rejected, amount_read, amount_accepted,
    rejected_by_reason, months, started_at, finished_at) VALUES
('first.csv', 'aa', 'done', '{"keep_duplicates": false}', 4, 3, 1, 25, 25,
    '{"zero_quantity": {"rows": 1, "amount": 0}}', '{2024-01,2024-02}', '2024-03-01 08:00+00', '2024-03-01 08:01+00'),
('second.csv', 'bb', 'done', '{"keep_duplicates": false}', 2, 2, 0, 0, 0, '{}', '{2024-02}', '2024-03-02 08:00+00',
    '2024-03-02 08:01+00');
INSERT INTO transaction_line (load_id, row_number, order_id, customer_id, product_id, ordered_at, quantity, unit_price,
    discount, amount, is_return, country) VALUES
(1, 1, 'o1', 'ann', 'A', '2024-01-05 10:00', 3, 1.5, 0, 4.5, false, 'France'),
(1, 2, 'o1', 'ann', 'B', '2024-01-05 10:00', 2, 10, 1, 19, false, 'France'),
(1, 3, 'o2', NULL, 'A', '2024-02-01 09:30', 1, 1.5, 0, 1.5, false, NULL),
(2, 1, 'o3', 'bob', 'B', '2024-02-03 12:00', 1, 10, 0, 10, false, 'Spain'),
(2, 2, 'C4', 'bob', 'B', '2024-02-10 12:00', -1, 10, 0, -10, true, 'Spain');
INSERT INTO rejected_row (load_id, row_number, reason, amount, raw) VALUES
(1, 4, 'zero_quantity', 0, '{"order_id": "o9", "quantity": "0"}');
INSERT INTO customer (customer_id, country, attributes) VALUES
('ann', 'France', '{"age": "25-34", "income": 41000}'), ('bob', 'Spain', '{}');
INSERT INTO product (product_id, name, category, department, brand, is_service) VALUES
('A', 'a "lamp", blue', 'Lamps', 'Home', 'Own', false), ('B', 'Chair', NULL, NULL, NULL, false);
INSERT INTO campaign (campaign_id, name, type, starts_at, ends_at) VALUES
('c1', 'Spring', 'mail', '2024-02-01', '2024-03-01');
INSERT INTO campaign_member (campaign_id, customer_id, treated) VALUES ('c1', 'ann', true), ('c1', 'bob', false);
INSERT INTO model_run (kind, status, as_of, parameters, data_version, metrics, message, started_at, finished_at) VALUES
('segments', 'superseded', '2024-02-02', '{"seed": 42}', 'v0', '{"reason": "2 clusters"}', NULL,
    '2024-03-01 09:00+00', '2024-03-01 09:01+00'),
('segments', 'published', '2024-02-11', '{"seed": 42}', 'v1', '{"reason": "2 clusters"}', NULL,
    '2024-03-02 09:00+00', '2024-03-02 09:01+00'),
('recommendations', 'published', '2024-02-11', '{"seed": 42}', 'v1', '{"reason": "better"}', 'better',
    '2024-03-02 09:01+00', '2024-03-02 09:02+00'),
('recommendations', 'refused', '2024-02-11', '{"seed": 43}', 'v1', '{}', 'no better than popularity',
    '2024-03-03 09:01+00', '2024-03-03 09:02+00');
INSERT INTO customer_segment (run_id, customer_id, last_ordered_at, recency_days, frequency, monetary, r_score, f_score,
    m_score, cluster, segment) VALUES
(1, 'ann', '2024-01-05 10:00', 27, 1, 23.5, 3, 3, 3, 0, 'Loyal'),
(2, 'ann', '2024-01-05 10:00', 36, 1, 23.5, 1, 3, 5, 0, 'Loyal'),
(2, 'bob', '2024-02-03 12:00', 7, 1, 0, 5, 3, 1, 1, 'New');
INSERT INTO segment_profile (run_id, segment, cluster, position, customers, customer_share, revenue, revenue_share,
    recency_median, frequency_median, monetary_median, emoji, colour, persona, playbook, reason) VALUES
(2, 'Loyal', 0, 1, 1, 0.5, 23.5, 1, 36, 1, 23.5, '💎', 'loyal', 'They come back.', 'Thank them.', 'High spend.'),
(2, 'New', 1, 2, 1, 0.5, 0, 0, 7, 1, 0, '🌱', 'new', 'They came once.', 'Welcome them.', 'Came lately.');
INSERT INTO segment_product (run_id, segment, kind, rank, product_id, quantity, revenue, lift) VALUES
(2, 'Loyal', 'revenue', 1, 'B', 2, 19, 1.25);
INSERT INTO recommendation (run_id, customer_id, kind, rank, product_id, score, reason) VALUES
(3, 'ann', 'buy_again', 1, 'A', 0.75, 'Bought 3 times.'), (3, 'bob', 'discover', 1, 'A', 0.1, 'Goes with B.');
INSERT INTO product_pair (run_id, product_id, other_product_id, support, confidence, lift, similarity) VALUES
(3, 'A', 'B', 0.25, 0.5, 1.0, NULL);
INSERT INTO evaluation (run_id, model, slice, metric, k, value, ci_low, ci_high) VALUES
(3, 'published', 'discover', 'ndcg', 10, 0.3333333333333333, 0.3, NULL),
(4, 'popular', 'discover', 'ndcg', 10, 0.1, 0, 1);
"""

_SAID = """
INSERT INTO load_customer (load_id, customer_id, country, attributes) VALUES
(1, 'ann', 'France', '{"age": "25-34", "income": 41000}'), (2, 'bob', 'Spain', '{}');
INSERT INTO load_product (load_id, product_id, name, category, department, brand, is_service) VALUES
(1, 'A', 'a "lamp", blue', 'Lamps', 'Home', 'Own', false), (1, 'B', NULL, NULL, NULL, NULL, false),
(2, 'B', 'Chair', NULL, NULL, NULL, false);
"""

_KINDS = """
UPDATE load SET returns = 1 WHERE load_id = 2;
INSERT INTO load (name, kind, sha256, status, rows_read, rows_accepted, started_at, finished_at, replaces) VALUES
('events.csv', 'events', 'cc', 'done', 1, 1, '2024-03-03 08:00+00', '2024-03-03 08:01+00', NULL),
('campaigns.csv', 'campaigns', 'dd', 'undone', 1, 1, '2024-03-03 08:00+00', '2024-03-03 08:01+00', 3);
INSERT INTO interaction_event (load_id, row_number, customer_id, type, occurred_at, product_id, campaign_id) VALUES
(3, 1, 'ann', 'view', '2024-02-11 11:11:11', 'B', 'c1');
INSERT INTO load_customer (load_id, customer_id, country, attributes) VALUES (3, 'ann', NULL, '{}');
INSERT INTO load_product (load_id, product_id, is_service) VALUES (3, 'B', false);
INSERT INTO load_campaign (load_id, campaign_id, name) VALUES (1, 'c1', 'Spring');
INSERT INTO load_campaign_member (load_id, campaign_id, customer_id, treated) VALUES (1, 'c1', 'ann', true);
INSERT INTO campaign_product (campaign_id, product_id) VALUES ('c1', 'A');
INSERT INTO load_campaign_product (load_id, campaign_id, product_id) VALUES (1, 'c1', 'A');
UPDATE product SET cost = 0.75 WHERE product_id = 'A';
UPDATE rejected_row SET ordered_at = '2024-01-06';
"""

_FORECASTS = """
UPDATE customer_segment SET first_ordered_at = last_ordered_at, tenure_days = recency_days, fm_score = 3,
    rfm_group = 'Promising', alternative = segment, p_alive = 0.5, clv = 12.5, clv_low = 0, clv_high = 99.5,
    value_decile = 1 WHERE run_id = 2;
INSERT INTO segment_measure (run_id, grouping, segment, measure, q1, median, q3, mean) VALUES
(2, 'segment', 'Loyal', 'frequency', 1, 1, 1, 1);
INSERT INTO segment_trait (run_id, grouping, segment, trait, value, customers, share, shop_share, lift, p_value,
    q_value) VALUES
(2, 'segment', 'Loyal', 'country', 'France', 1, 1, 0.5, 2, 0.5, 0.5);
INSERT INTO movement_moment (run_id, moment, as_of, customers) VALUES (2, 0, '2024-02-01', 1), (2, 1, '2024-02-11', 2);
INSERT INTO movement_letter (run_id, grouping, letter, segment, position, colour) VALUES
(2, 'segment', 'A', 'Loyal', 1, 'loyal'), (2, 'segment', 'B', 'New', 2, 'new');
INSERT INTO movement (run_id, grouping, from_moment, to_moment, from_segment, to_segment, cause, customers,
    revenue) VALUES
(2, 'segment', 0, 1, 'Loyal', 'Loyal', 'stayed', 1, 0), (2, 'segment', 0, 1, '', 'New', 'new', 1, 0);
INSERT INTO customer_movement (run_id, customer_id, segments, segment_causes, groups, group_causes) VALUES
(2, 'ann', 'AA', '=', 'AA', '='), (2, 'bob', '.B', 'n', '.B', 'n');
"""

_AUDIENCES = """
INSERT INTO product_audience (run_id, product_id, rank, customer_id, score, reason) VALUES
(3, 'A', 1, 'bob', 0.1, 'Goes with B.');
UPDATE recommendation SET because_product_id = 'B', parts = '{"popular": 0.1}' WHERE customer_id = 'bob';
UPDATE product_pair SET baskets = 1, leverage = 0;
"""

_SAVED = """
INSERT INTO audience (name, query, saved_by, saved_at) VALUES
('Spaniards, all', '?country=Spain', 'ann', '2024-03-04 08:00+00');
"""

_USERS = """
INSERT INTO app_user (name, password_hash, role, countries, session_key, signed_in_at, created_at) VALUES
('ann@example.com', '$argon2id$hash', 'admin', '{}', 'key 1', '2024-03-04 09:00+00', '2024-03-04 08:00+00'),
('bob@example.com', NULL, 'marketer', '{Spain,"Côte d''Ivoire"}', 'key 2', NULL, '2024-03-04 08:00+00');
INSERT INTO sign_in_link (token_sha256, user_id, expires_at) VALUES ('ee', 2, '2024-03-05 08:00+00');
INSERT INTO audit_event (at, actor, action, subject, rows, details) VALUES
('2024-03-04 09:00+00', 'ann@example.com', 'downloaded list', '/customers', 2, '{"query": "?country=Spain"}');
"""

_REFRESHED = """
INSERT INTO refresh (started_at, finished_at, status, message) VALUES
('2024-03-04 04:00+00', '2024-03-04 04:10+00', 'done', NULL),
('2024-03-05 04:00+00', '2024-03-05 04:01+00', 'failed', 'no');
"""

FORGOTTEN_BY = b"k" * 32
"""The key by which the shop's customer was forgotten; the record holds what tells it from others."""

_FORGOTTEN = """
INSERT INTO forgotten (hash, key, forgotten_at) VALUES ('ff', '4d8ffbc8c341098e', '2024-03-06 08:00+00');
INSERT INTO erasure (reason, customers, removed, erased_at) VALUES
('asked', 1, '{"transaction_line": 2}', '2024-03-06 08:00+00');
"""

ROWS = {
    "0001": _FIRST,
    "0002": _SAID,
    "0003": _KINDS,
    "0004": _FORECASTS,
    "0005": _AUDIENCES,
    "0006": _SAVED,
    "0007": _USERS,
    "0008": _REFRESHED,
    "0009": _FORGOTTEN,
}


def rows_up_to(revision: str) -> Sequence[str]:
    """Scripts for a database at that revision; one without rows of its own here has those of the ones before."""
    known = revisions.known()
    return [ROWS[each] for each in known[: known.index(revision) + 1] if each in ROWS]


def make_shop(connection: Connection, revision: str) -> None:
    """The schema of a revision in a database without one, and the shop in it."""
    revisions.upgrade(connection, revision)
    for script in rows_up_to(revision):
        connection.exec_driver_sql(script)
    connection.execute(text("ANALYZE"))
