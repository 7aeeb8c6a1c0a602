"""The six tables of the specification, column by column: type, default, NULL, foreign key, index; ours are named in one list."""

import psycopg
import pytest
from tests.fakes.spec_table import table

pytestmark = pytest.mark.database

SPECIFIED = table("""
    table          | column                | type                     | default    | null | references
    users          | id                    | character varying(255)   |            | no   |
    users          | wallet_address        | character varying(255)   |            | no   |
    users          | created_at            | timestamp with time zone | now()      | yes  |
    users          | updated_at            | timestamp with time zone | now()      | yes  |
    user_settings  | id                    | integer                  | serial     | no   |
    user_settings  | user_id               | character varying(255)   |            | yes  | users(id) cascade
    user_settings  | risk_profile          | character varying(50)    | 'BALANCED' | yes  |
    user_settings  | max_trade_amount      | numeric(20,6)            |            | yes  |
    user_settings  | slippage_tolerance    | numeric(5,2)             | 1.0        | yes  |
    user_settings  | created_at            | timestamp with time zone | now()      | yes  |
    user_settings  | updated_at            | timestamp with time zone | now()      | yes  |
    scoring_runs   | id                    | character varying(255)   |            | no   |
    scoring_runs   | status                | character varying(50)    |            | no   |
    scoring_runs   | traders_analyzed      | integer                  | 0          | yes  |
    scoring_runs   | created_at            | timestamp with time zone | now()      | yes  |
    scoring_runs   | updated_at            | timestamp with time zone | now()      | yes  |
    trader_scores  | id                    | character varying(255)   |            | no   |
    trader_scores  | run_id                | character varying(255)   |            | yes  | scoring_runs(id) cascade
    trader_scores  | wallet_address        | character varying(255)   |            | no   |
    trader_scores  | xorj_trust_score      | numeric(10,2)            |            | no   |
    trader_scores  | win_rate              | numeric(5,2)             |            | yes  |
    trader_scores  | total_return          | numeric(10,2)            |            | yes  |
    trader_scores  | max_drawdown          | numeric(5,2)             |            | yes  |
    trader_scores  | trade_count           | integer                  |            | yes  |
    trader_scores  | created_at            | timestamp with time zone | now()      | yes  |
    execution_jobs | id                    | character varying(255)   |            | no   |
    execution_jobs | user_id               | character varying(255)   |            | yes  | users(id) cascade
    execution_jobs | status                | character varying(50)    |            | no   |
    execution_jobs | target_trader         | character varying(255)   |            | yes  |
    execution_jobs | created_at            | timestamp with time zone | now()      | yes  |
    execution_jobs | updated_at            | timestamp with time zone | now()      | yes  |
    trades         | id                    | character varying(255)   |            | no   |
    trades         | user_id               | character varying(255)   |            | yes  | users(id) cascade
    trades         | execution_job_id      | character varying(255)   |            | yes  | execution_jobs(id) no action
    trades         | from_token            | character varying(255)   |            | no   |
    trades         | to_token              | character varying(255)   |            | no   |
    trades         | amount                | numeric(20,6)            |            | no   |
    trades         | status                | character varying(50)    |            | no   |
    trades         | slippage              | numeric(5,2)             |            | yes  |
    trades         | transaction_signature | character varying(255)   |            | yes  |
    trades         | created_at            | timestamp with time zone | now()      | yes  |
    trades         | updated_at            | timestamp with time zone | now()      | yes  |
""")

# What stands beside the specification's columns in its tables, and may.
OURS = {
    "users": ["closed_at"],
    "user_settings": [],
    "scoring_runs": [
        "genesis_hash",
        "model",
        "as_of_slot",
        "as_of_block_time",
        "input_hash",
        "parameter_hash",
        "traders_ranked",
        "completed_at",
        "failure",
    ],
    "trader_scores": [
        "genesis_hash",
        "model",
        "rank",
        "is_eligible",
        "exclusion_reason",
        "score",
        "classic_score",
        "copy_score",
        "edge",
        "band_low",
        "band_high",
        "evidence_days",
        "capacity_usd",
        "copy_cost_fraction",
        "expected_drawdown_fraction",
        "calibration",
        "reasons",
        "win_rate_fraction",
        "total_return_fraction",
        "max_drawdown_fraction",
        "sharpe_ratio",
        "was_clamped",
        "receipt",
    ],
    "execution_jobs": ["genesis_hash", "intent_id"],
    "trades": ["genesis_hash", "attempt_id", "amount_in_raw", "amount_out_raw", "slippage_fraction", "was_clamped"],
}

INDEXES = {
    "idx_trader_scores_run_id_score": "ON trader_scores USING btree (run_id, xorj_trust_score DESC)",
    "idx_trades_user_created": "ON trades USING btree (user_id, created_at DESC)",
    "idx_execution_jobs_status": "ON execution_jobs USING btree (status)",
    "idx_scoring_runs_created": "ON scoring_runs USING btree (created_at DESC)",
}
OUR_UNIQUE = {
    "execution_jobs_intent_id_key",
    "trades_attempt_id_key",
    "trader_scores_run_id_wallet_address_model_key",
    "user_settings_user_id_key",
}

COLUMNS = """
    SELECT table_name, column_name,
           CASE data_type WHEN 'character varying' THEN format('%%s(%%s)', data_type, character_maximum_length)
                          WHEN 'numeric' THEN format('%%s(%%s,%%s)', data_type, numeric_precision, numeric_scale) ELSE data_type END,
           coalesce(column_default, ''), lower(is_nullable)
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name = ANY(%s) ORDER BY table_name, ordinal_position
"""
REFERENCES = """
    SELECT k.table_name, k.column_name, format('%%s(%%s) %%s', u.table_name, u.column_name, lower(r.delete_rule))
    FROM information_schema.referential_constraints r
    JOIN information_schema.key_column_usage k USING (constraint_name)
    JOIN information_schema.constraint_column_usage u ON u.constraint_name = r.unique_constraint_name
    WHERE k.table_name = ANY(%s)
"""


def rows(url: str, query: str) -> list[tuple[str, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query, [list(OURS)]).fetchall()


def test_every_column_is_as_specified(template_url: str) -> None:
    found = {(name, column): (kind, default, null) for name, column, kind, default, null in rows(template_url, COLUMNS)}
    references = {(name, column): target for name, column, target in rows(template_url, REFERENCES)}
    for line in SPECIFIED:
        key = (line["table"], line["column"])
        kind, default, null = found[key]
        default = "serial" if default.startswith("nextval(") else default.removesuffix("::character varying")
        assert (kind, default, null, references.get(key, "")) == (line["type"], line["default"], line["null"], line["references"]), key


def test_columns_of_ours_are_these_and_come_after(template_url: str) -> None:
    found: dict[str, list[str]] = {}
    for name, column, *_rest in rows(template_url, COLUMNS):
        found.setdefault(name, []).append(column)
    expected = {name: [line["column"] for line in SPECIFIED if line["table"] == name] + ours for name, ours in OURS.items()}
    assert found == expected


def test_indexes_are_as_specified(template_url: str) -> None:
    query = "SELECT indexname, replace(substring(indexdef from 'ON .*'), 'public.', '') FROM pg_indexes WHERE tablename = ANY(%s)"
    found = dict(rows(template_url, query))
    keys = {f"{name}_pkey" for name in OURS} | {"users_wallet_address_key"} | OUR_UNIQUE
    assert set(found) - keys == set(INDEXES)
    assert {name: found[name] for name in INDEXES} == INDEXES
