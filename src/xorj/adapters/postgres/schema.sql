-- The newest schema, made from tables.py for reading; what runs is in migrations/.

CREATE TABLE token_metadata (
    mint TEXT NOT NULL,
    genesis_hash TEXT NOT NULL,
    symbol TEXT NOT NULL,
    name TEXT NOT NULL,
    decimals SMALLINT NOT NULL,
    token_program TEXT NOT NULL,
    is_verified BOOLEAN DEFAULT false NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT token_metadata_pkey PRIMARY KEY (mint)
);

CREATE TABLE leader_cursors (
    leader TEXT NOT NULL,
    genesis_hash TEXT NOT NULL,
    signature TEXT,
    slot BIGINT NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT leader_cursors_pkey PRIMARY KEY (leader)
);

CREATE TABLE leader_trades (
    id TEXT NOT NULL,
    genesis_hash TEXT NOT NULL,
    leader TEXT NOT NULL,
    signature TEXT NOT NULL,
    swap_index INTEGER NOT NULL,
    slot BIGINT NOT NULL,
    block_time BIGINT,
    direction TEXT NOT NULL,
    input_mint TEXT NOT NULL,
    input_raw NUMERIC(39, 0) NOT NULL,
    input_decimals SMALLINT NOT NULL,
    output_mint TEXT NOT NULL,
    output_raw NUMERIC(39, 0) NOT NULL,
    output_decimals SMALLINT NOT NULL,
    value_usd NUMERIC(39, 6),
    equity_usd NUMERIC(39, 6),
    input_balance_before_raw NUMERIC(39, 0),
    seen_slot BIGINT NOT NULL,
    is_decided BOOLEAN DEFAULT false NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT leader_trades_pkey PRIMARY KEY (id),
    CONSTRAINT leader_trades_direction_check CHECK (direction in ('open', 'close', 'switch', 'neither')),
    CONSTRAINT leader_trades_leader_signature_swap_index_key UNIQUE (leader, signature, swap_index)
);

CREATE INDEX idx_leader_trades_leader_slot ON leader_trades (leader, slot);

CREATE INDEX idx_leader_trades_slot ON leader_trades (slot DESC);

CREATE INDEX idx_leader_trades_undecided ON leader_trades (slot) WHERE not is_decided;

CREATE TABLE leader_days (
    leader TEXT NOT NULL,
    day INTEGER NOT NULL,
    genesis_hash TEXT NOT NULL,
    result_raw NUMERIC(39, 0) NOT NULL,
    allotted_raw NUMERIC(39, 0) NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT leader_days_pkey PRIMARY KEY (leader, day)
);

CREATE TABLE leader_pauses (
    id BIGSERIAL NOT NULL,
    genesis_hash TEXT NOT NULL,
    leader TEXT NOT NULL,
    reason TEXT NOT NULL,
    numbers JSONB NOT NULL,
    began_slot BIGINT NOT NULL,
    began_day INTEGER NOT NULL,
    ended_slot BIGINT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT leader_pauses_pkey PRIMARY KEY (id)
);

CREATE UNIQUE INDEX idx_leader_pauses_leader ON leader_pauses (leader) WHERE ended_slot is null;

CREATE TABLE sweep_cursors (
    bot TEXT NOT NULL,
    provider TEXT NOT NULL,
    genesis_hash TEXT NOT NULL,
    signature TEXT NOT NULL,
    slot BIGINT NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT sweep_cursors_pkey PRIMARY KEY (bot, provider)
);

CREATE TABLE outbox (
    id BIGSERIAL NOT NULL,
    topic TEXT NOT NULL,
    key TEXT NOT NULL,
    payload JSONB NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    tries INTEGER DEFAULT 0 NOT NULL,
    next_try_at TIMESTAMP WITH TIME ZONE,
    given_up_at TIMESTAMP WITH TIME ZONE,
    last_error TEXT,
    CONSTRAINT outbox_pkey PRIMARY KEY (id)
);

CREATE INDEX idx_outbox_sent_at ON outbox (sent_at);

CREATE INDEX idx_outbox_unsent ON outbox (id) WHERE sent_at is null and given_up_at is null;

CREATE TABLE challenges (
    nonce TEXT NOT NULL,
    wallet TEXT NOT NULL,
    message TEXT NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT challenges_pkey PRIMARY KEY (nonce)
);

CREATE INDEX idx_challenges_expires_at ON challenges (expires_at);

CREATE TABLE sessions (
    sid_hash BYTEA NOT NULL,
    user_id TEXT NOT NULL,
    wallet TEXT NOT NULL,
    permissions TEXT[] NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT sessions_pkey PRIMARY KEY (sid_hash)
);

CREATE INDEX idx_sessions_expires_at ON sessions (expires_at);

CREATE INDEX idx_sessions_user_id ON sessions (user_id);

CREATE UNLOGGED TABLE rate_limit_hits (
    key TEXT NOT NULL,
    window_start TIMESTAMP WITH TIME ZONE NOT NULL,
    hits INTEGER NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT rate_limit_hits_pkey PRIMARY KEY (key, window_start)
);

CREATE INDEX idx_rate_limit_hits_expires_at ON rate_limit_hits (expires_at);

CREATE TABLE idempotency_keys (
    user_id TEXT NOT NULL,
    key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    status_code SMALLINT,
    response JSONB,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (user_id, key)
);

CREATE TABLE chain_identity (
    id SMALLINT NOT NULL CONSTRAINT chain_identity_one_row_check CHECK (id = 1),
    genesis_hash TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT chain_identity_pkey PRIMARY KEY (id)
);

CREATE TABLE kill_switch (
    id SMALLINT NOT NULL CONSTRAINT kill_switch_one_row_check CHECK (id = 1),
    stopped BOOLEAN NOT NULL,
    reason TEXT NOT NULL,
    actor TEXT NOT NULL,
    version BIGINT DEFAULT 1 NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT kill_switch_pkey PRIMARY KEY (id)
);

CREATE TABLE leases (
    name TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    holder TEXT NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT leases_pkey PRIMARY KEY (name)
);

CREATE TABLE bot_controls (
    id SMALLINT NOT NULL CONSTRAINT bot_controls_one_row_check CHECK (id = 1),
    draining BOOLEAN NOT NULL,
    gate_open BOOLEAN NOT NULL,
    heartbeat_slot BIGINT,
    heartbeat_at TIMESTAMP WITH TIME ZONE,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT bot_controls_pkey PRIMARY KEY (id)
);

CREATE TABLE frozen_cohorts (
    genesis_hash TEXT NOT NULL,
    day INTEGER NOT NULL,
    run_id TEXT NOT NULL,
    as_of_slot BIGINT NOT NULL,
    input_hash TEXT NOT NULL,
    parameter_hash TEXT NOT NULL,
    lake_version BIGINT,
    calibration TEXT NOT NULL,
    prior DOUBLE PRECISION[] NOT NULL,
    is_own_prior BOOLEAN NOT NULL,
    plus_version TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT frozen_cohorts_pkey PRIMARY KEY (genesis_hash, day)
);

CREATE TABLE trust_reports (
    genesis_hash TEXT NOT NULL,
    week INTEGER NOT NULL,
    is_alarm BOOLEAN NOT NULL,
    report JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT trust_reports_pkey PRIMARY KEY (genesis_hash, week)
);

CREATE INDEX idx_trust_reports_alarm ON trust_reports (week) WHERE is_alarm;

CREATE TABLE users (
    id VARCHAR(255) NOT NULL,
    wallet_address VARCHAR(255) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    closed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_wallet_address_key UNIQUE (wallet_address)
);

CREATE TABLE scoring_runs (
    id VARCHAR(255) NOT NULL,
    status VARCHAR(50) NOT NULL,
    traders_analyzed INTEGER DEFAULT 0,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    genesis_hash TEXT NOT NULL,
    model TEXT NOT NULL,
    as_of_slot BIGINT NOT NULL,
    as_of_block_time BIGINT,
    input_hash TEXT,
    parameter_hash TEXT,
    traders_ranked INTEGER,
    completed_at TIMESTAMP WITH TIME ZONE,
    failure TEXT,
    CONSTRAINT scoring_runs_pkey PRIMARY KEY (id)
);

CREATE INDEX idx_scoring_runs_created ON scoring_runs (created_at DESC);

CREATE TABLE vaults (
    address TEXT NOT NULL,
    genesis_hash TEXT NOT NULL,
    owner TEXT NOT NULL,
    user_id TEXT,
    base_mint TEXT NOT NULL,
    total_deposited_raw NUMERIC(39, 0) NOT NULL,
    bot_authority TEXT,
    bot_epoch BIGINT DEFAULT 0 NOT NULL,
    bot_expires_at BIGINT,
    is_active BOOLEAN NOT NULL,
    is_paused BOOLEAN NOT NULL,
    is_closed BOOLEAN DEFAULT false NOT NULL,
    as_of_slot BIGINT NOT NULL,
    cursor_signature TEXT,
    cursor_slot BIGINT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT vaults_pkey PRIMARY KEY (address),
    CONSTRAINT vaults_owner_key UNIQUE (owner),
    CONSTRAINT vaults_user_id_fkey FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE RESTRICT
);

CREATE INDEX idx_vaults_user_id ON vaults (user_id);

CREATE TABLE predictions (
    genesis_hash TEXT NOT NULL,
    day INTEGER NOT NULL,
    wallet_address TEXT NOT NULL,
    rank INTEGER,
    score DOUBLE PRECISION,
    edge DOUBLE PRECISION,
    band_low DOUBLE PRECISION,
    band_high DOUBLE PRECISION,
    sharpe DOUBLE PRECISION,
    error DOUBLE PRECISION,
    evidence_days INTEGER NOT NULL,
    round_trips INTEGER NOT NULL,
    cluster_size INTEGER NOT NULL,
    plus DOUBLE PRECISION,
    behaviour DOUBLE PRECISION[] NOT NULL,
    input_hash TEXT NOT NULL,
    CONSTRAINT predictions_pkey PRIMARY KEY (genesis_hash, day, wallet_address),
    CONSTRAINT predictions_genesis_hash_day_fkey FOREIGN KEY(genesis_hash, day) REFERENCES frozen_cohorts (genesis_hash, day) ON DELETE RESTRICT
);

CREATE TABLE closed_windows (
    genesis_hash TEXT NOT NULL,
    opened_day INTEGER NOT NULL,
    wallets INTEGER NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT closed_windows_pkey PRIMARY KEY (genesis_hash, opened_day),
    CONSTRAINT closed_windows_genesis_hash_opened_day_fkey FOREIGN KEY(genesis_hash, opened_day) REFERENCES frozen_cohorts (genesis_hash, day) ON DELETE RESTRICT
);

CREATE TABLE user_settings (
    id SERIAL NOT NULL,
    user_id VARCHAR(255),
    risk_profile VARCHAR(50) DEFAULT 'BALANCED',
    max_trade_amount NUMERIC(20, 6),
    slippage_tolerance NUMERIC(5, 2) DEFAULT 1.0,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT user_settings_pkey PRIMARY KEY (id),
    CONSTRAINT user_settings_user_id_key UNIQUE (user_id),
    CONSTRAINT user_settings_user_id_fkey FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE TABLE trader_scores (
    id VARCHAR(255) NOT NULL,
    run_id VARCHAR(255),
    wallet_address VARCHAR(255) NOT NULL,
    xorj_trust_score NUMERIC(10, 2) NOT NULL,
    win_rate NUMERIC(5, 2),
    total_return NUMERIC(10, 2),
    max_drawdown NUMERIC(5, 2),
    trade_count INTEGER,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    genesis_hash TEXT NOT NULL,
    model TEXT NOT NULL,
    rank INTEGER,
    is_eligible BOOLEAN NOT NULL,
    exclusion_reason TEXT,
    score DOUBLE PRECISION NOT NULL,
    classic_score DOUBLE PRECISION NOT NULL,
    copy_score DOUBLE PRECISION,
    edge DOUBLE PRECISION,
    band_low DOUBLE PRECISION,
    band_high DOUBLE PRECISION,
    evidence_days INTEGER NOT NULL,
    capacity_usd DOUBLE PRECISION,
    copy_cost_fraction DOUBLE PRECISION,
    expected_drawdown_fraction DOUBLE PRECISION,
    calibration TEXT,
    reasons JSONB DEFAULT '[]'::jsonb NOT NULL,
    win_rate_fraction DOUBLE PRECISION,
    total_return_fraction DOUBLE PRECISION,
    max_drawdown_fraction DOUBLE PRECISION,
    sharpe_ratio DOUBLE PRECISION,
    was_clamped BOOLEAN DEFAULT false NOT NULL,
    receipt JSONB DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT trader_scores_pkey PRIMARY KEY (id),
    CONSTRAINT trader_scores_run_id_wallet_address_model_key UNIQUE (run_id, wallet_address, model),
    CONSTRAINT trader_scores_run_id_fkey FOREIGN KEY(run_id) REFERENCES scoring_runs (id) ON DELETE CASCADE
);

CREATE INDEX idx_trader_scores_run_id_score ON trader_scores (run_id, xorj_trust_score DESC);

CREATE TABLE bot_subscriptions (
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    vault TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    leaders_max INTEGER NOT NULL,
    allocation_bps INTEGER NOT NULL,
    caps JSONB DEFAULT '{}'::jsonb NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT bot_subscriptions_pkey PRIMARY KEY (id),
    CONSTRAINT bot_subscriptions_state_check CHECK (state in ('active', 'ended')),
    CONSTRAINT bot_subscriptions_user_id_fkey FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE RESTRICT,
    CONSTRAINT bot_subscriptions_vault_fkey FOREIGN KEY(vault) REFERENCES vaults (address) ON DELETE RESTRICT
);

CREATE UNIQUE INDEX idx_bot_subscriptions_vault ON bot_subscriptions (vault) WHERE state = 'active';

CREATE TABLE window_returns (
    genesis_hash TEXT NOT NULL,
    opened_day INTEGER NOT NULL,
    wallet_address TEXT NOT NULL,
    daily_returns DOUBLE PRECISION[] NOT NULL,
    CONSTRAINT window_returns_pkey PRIMARY KEY (genesis_hash, opened_day, wallet_address),
    CONSTRAINT window_returns_genesis_hash_opened_day_fkey FOREIGN KEY(genesis_hash, opened_day) REFERENCES closed_windows (genesis_hash, opened_day) ON DELETE RESTRICT
);

CREATE TABLE follows (
    id TEXT NOT NULL,
    genesis_hash TEXT NOT NULL,
    user_id TEXT NOT NULL,
    vault TEXT NOT NULL,
    subscription_id TEXT,
    leader TEXT NOT NULL,
    allocation_bps INTEGER NOT NULL,
    mode TEXT NOT NULL,
    caps JSONB DEFAULT '{}'::jsonb NOT NULL,
    allowed_mints TEXT[] DEFAULT '{}'::text[] NOT NULL,
    blocked_mints TEXT[] DEFAULT '{}'::text[] NOT NULL,
    valid_from_slot BIGINT NOT NULL,
    valid_to_slot BIGINT,
    end_reason TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT follows_pkey PRIMARY KEY (id),
    CONSTRAINT follows_mode_check CHECK (mode in ('copy', 'exit_only')),
    CONSTRAINT follows_allocation_bps_check CHECK (allocation_bps between 1 and 10000),
    CONSTRAINT follows_validity_check CHECK (valid_to_slot is null or valid_to_slot >= valid_from_slot),
    CONSTRAINT follows_user_id_fkey FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE RESTRICT,
    CONSTRAINT follows_vault_fkey FOREIGN KEY(vault) REFERENCES vaults (address) ON DELETE RESTRICT,
    CONSTRAINT follows_subscription_id_fkey FOREIGN KEY(subscription_id) REFERENCES bot_subscriptions (id) ON DELETE RESTRICT
);

CREATE INDEX idx_follows_leader ON follows (leader);

CREATE UNIQUE INDEX idx_follows_vault_leader ON follows (vault, leader) WHERE valid_to_slot is null;

CREATE TABLE decisions (
    id TEXT NOT NULL,
    genesis_hash TEXT NOT NULL,
    leader_trade_id TEXT NOT NULL,
    follow_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    vault TEXT NOT NULL,
    outcome TEXT NOT NULL,
    rule TEXT NOT NULL,
    rule_version INTEGER NOT NULL,
    numbers JSONB NOT NULL,
    slot BIGINT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT decisions_pkey PRIMARY KEY (id),
    CONSTRAINT decisions_outcome_check CHECK (outcome in ('copied', 'resized', 'skipped', 'refused')),
    CONSTRAINT decisions_leader_trade_id_vault_key UNIQUE (leader_trade_id, vault),
    CONSTRAINT decisions_leader_trade_id_fkey FOREIGN KEY(leader_trade_id) REFERENCES leader_trades (id) ON DELETE RESTRICT,
    CONSTRAINT decisions_follow_id_fkey FOREIGN KEY(follow_id) REFERENCES follows (id) ON DELETE RESTRICT,
    CONSTRAINT decisions_user_id_fkey FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE RESTRICT,
    CONSTRAINT decisions_vault_fkey FOREIGN KEY(vault) REFERENCES vaults (address) ON DELETE RESTRICT
);

CREATE INDEX idx_decisions_user_created ON decisions (user_id, created_at DESC);

CREATE TABLE intents (
    id TEXT NOT NULL,
    genesis_hash TEXT NOT NULL,
    user_id TEXT NOT NULL,
    vault TEXT NOT NULL,
    cause_kind TEXT NOT NULL,
    cause_id TEXT NOT NULL,
    leg SMALLINT NOT NULL,
    rule_version INTEGER NOT NULL,
    decision_id TEXT,
    leader TEXT,
    side TEXT NOT NULL,
    input_mint TEXT NOT NULL,
    output_mint TEXT NOT NULL,
    amount_in_raw NUMERIC(39, 0) NOT NULL,
    slippage_bps INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    nonce BIGINT,
    bot_epoch BIGINT,
    created_slot BIGINT NOT NULL,
    expires_slot BIGINT NOT NULL,
    attempts_count INTEGER DEFAULT 0 NOT NULL,
    version INTEGER DEFAULT 0 NOT NULL,
    lease_epoch BIGINT,
    settled_slot BIGINT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT intents_pkey PRIMARY KEY (id),
    CONSTRAINT intents_cause_kind_check CHECK (cause_kind in ('leader_trade', 'stop', 'missed_exit', 'exit_all')),
    CONSTRAINT intents_side_check CHECK (side in ('buy', 'sell')),
    CONSTRAINT intents_state_check CHECK (state in ('new', 'reserved', 'in_flight', 'settled', 'reverted', 'abandoned', 'cancelled', 'quarantined')),
    CONSTRAINT intents_amount_in_raw_check CHECK (amount_in_raw > 0),
    CONSTRAINT intents_vault_cause_kind_cause_id_leg_key UNIQUE (vault, cause_kind, cause_id, leg),
    CONSTRAINT intents_user_id_fkey FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE RESTRICT,
    CONSTRAINT intents_vault_fkey FOREIGN KEY(vault) REFERENCES vaults (address) ON DELETE RESTRICT,
    CONSTRAINT intents_decision_id_fkey FOREIGN KEY(decision_id) REFERENCES decisions (id) ON DELETE RESTRICT
);

CREATE INDEX idx_intents_open ON intents (state, created_slot) WHERE state in ('new', 'reserved', 'in_flight', 'quarantined');

CREATE INDEX idx_intents_user_created ON intents (user_id, created_at DESC);

CREATE UNIQUE INDEX idx_intents_nonce ON intents (vault, bot_epoch, nonce) WHERE nonce is not null;

CREATE TABLE attempts (
    id TEXT NOT NULL,
    genesis_hash TEXT NOT NULL,
    intent_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    state TEXT NOT NULL,
    message BYTEA NOT NULL,
    quote_hash TEXT,
    minimum_out_raw NUMERIC(39, 0) NOT NULL,
    quoted_out_raw NUMERIC(39, 0),
    input_decimals SMALLINT NOT NULL,
    blockhash TEXT NOT NULL,
    last_valid_block_height BIGINT NOT NULL,
    built_slot BIGINT NOT NULL,
    deadline_slot BIGINT NOT NULL,
    nonce BIGINT NOT NULL,
    bot_epoch BIGINT NOT NULL,
    lease_epoch BIGINT NOT NULL,
    signature TEXT,
    transaction BYTEA,
    seen_commitment TEXT,
    seen_slot BIGINT,
    landed_slot BIGINT,
    error TEXT,
    amount_out_raw NUMERIC(39, 0),
    fee_lamports BIGINT,
    rent_lamports BIGINT,
    version INTEGER DEFAULT 0 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT attempts_pkey PRIMARY KEY (id),
    CONSTRAINT attempts_state_check CHECK (state in ('built', 'signed', 'final_ok', 'final_err', 'dead')),
    CONSTRAINT attempts_signed_before_sent_check CHECK ((state = 'built') or (state = 'dead') or (signature is not null)),
    CONSTRAINT attempts_intent_id_number_key UNIQUE (intent_id, number),
    CONSTRAINT attempts_intent_id_fkey FOREIGN KEY(intent_id) REFERENCES intents (id) ON DELETE RESTRICT,
    CONSTRAINT attempts_signature_key UNIQUE (signature)
);

CREATE INDEX idx_attempts_landed_slot ON attempts (landed_slot) WHERE landed_slot is not null;

CREATE INDEX idx_attempts_open ON attempts (state) WHERE state in ('built', 'signed');

CREATE UNIQUE INDEX idx_attempts_live ON attempts (intent_id) WHERE state in ('built', 'signed');

CREATE TABLE ledger (
    id BIGSERIAL NOT NULL,
    genesis_hash TEXT NOT NULL,
    vault TEXT NOT NULL,
    mint TEXT NOT NULL,
    delta_raw NUMERIC(39, 0) NOT NULL,
    cause TEXT NOT NULL,
    signature TEXT NOT NULL,
    slot BIGINT NOT NULL,
    block_time BIGINT,
    intent_id TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT ledger_pkey PRIMARY KEY (id),
    CONSTRAINT ledger_cause_check CHECK (cause in ('deposit', 'withdrawal', 'trade', 'transfer')),
    CONSTRAINT ledger_vault_signature_mint_key UNIQUE (vault, signature, mint),
    CONSTRAINT ledger_vault_fkey FOREIGN KEY(vault) REFERENCES vaults (address) ON DELETE RESTRICT,
    CONSTRAINT ledger_intent_id_fkey FOREIGN KEY(intent_id) REFERENCES intents (id) ON DELETE RESTRICT
);

CREATE INDEX idx_ledger_vault_mint ON ledger (vault, mint);

CREATE TABLE execution_jobs (
    id VARCHAR(255) NOT NULL,
    user_id VARCHAR(255),
    status VARCHAR(50) NOT NULL,
    target_trader VARCHAR(255),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    genesis_hash TEXT NOT NULL,
    intent_id TEXT NOT NULL,
    CONSTRAINT execution_jobs_pkey PRIMARY KEY (id),
    CONSTRAINT execution_jobs_user_id_fkey FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT execution_jobs_intent_id_key UNIQUE (intent_id),
    CONSTRAINT execution_jobs_intent_id_fkey FOREIGN KEY(intent_id) REFERENCES intents (id) ON DELETE RESTRICT
);

CREATE INDEX idx_execution_jobs_status ON execution_jobs (status);

CREATE TABLE brakes (
    id TEXT NOT NULL,
    genesis_hash TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    number INTEGER NOT NULL,
    vault TEXT NOT NULL,
    attempt_id TEXT,
    nonce BIGINT,
    bot_epoch BIGINT,
    stop BIGINT NOT NULL,
    reason TEXT NOT NULL,
    state TEXT NOT NULL,
    message BYTEA NOT NULL,
    blockhash TEXT NOT NULL,
    last_valid_block_height BIGINT NOT NULL,
    built_slot BIGINT NOT NULL,
    lease_epoch BIGINT NOT NULL,
    signature TEXT,
    transaction BYTEA,
    landed_slot BIGINT,
    detail TEXT,
    fee_lamports BIGINT,
    evidence JSONB,
    version INTEGER DEFAULT 0 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT brakes_pkey PRIMARY KEY (id),
    CONSTRAINT brakes_kind_check CHECK (kind in ('pause', 'burn')),
    CONSTRAINT brakes_state_check CHECK (state in ('built', 'signed', 'final_ok', 'final_err', 'dead')),
    CONSTRAINT brakes_burns_a_trade_check CHECK ((kind = 'pause') = (attempt_id is null) and (kind = 'pause') = (nonce is null)),
    CONSTRAINT brakes_signed_before_sent_check CHECK ((state = 'built') or (state = 'dead') or (signature is not null)),
    CONSTRAINT brakes_kind_subject_number_key UNIQUE (kind, subject, number),
    CONSTRAINT brakes_vault_fkey FOREIGN KEY(vault) REFERENCES vaults (address) ON DELETE RESTRICT,
    CONSTRAINT brakes_attempt_id_fkey FOREIGN KEY(attempt_id) REFERENCES attempts (id) ON DELETE RESTRICT,
    CONSTRAINT brakes_signature_key UNIQUE (signature)
);

CREATE INDEX idx_brakes_vault_stop ON brakes (vault, stop);

CREATE UNIQUE INDEX idx_brakes_live ON brakes (kind, subject) WHERE state in ('built', 'signed');

CREATE TABLE evidence (
    id BIGSERIAL NOT NULL,
    genesis_hash TEXT NOT NULL,
    attempt_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    verdict TEXT NOT NULL,
    slot BIGINT NOT NULL,
    facts JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT evidence_pkey PRIMARY KEY (id),
    CONSTRAINT evidence_attempt_id_fkey FOREIGN KEY(attempt_id) REFERENCES attempts (id) ON DELETE RESTRICT
);

CREATE INDEX idx_evidence_attempt_id ON evidence (attempt_id);

CREATE TABLE fills (
    attempt_id TEXT NOT NULL,
    genesis_hash TEXT NOT NULL,
    intent_id TEXT NOT NULL,
    vault TEXT NOT NULL,
    leader TEXT,
    side TEXT NOT NULL,
    signature TEXT NOT NULL,
    slot BIGINT NOT NULL,
    block_time BIGINT,
    input_mint TEXT NOT NULL,
    input_raw NUMERIC(39, 0) NOT NULL,
    output_mint TEXT NOT NULL,
    output_raw NUMERIC(39, 0) NOT NULL,
    fee_lamports BIGINT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT fills_pkey PRIMARY KEY (attempt_id),
    CONSTRAINT fills_attempt_id_fkey FOREIGN KEY(attempt_id) REFERENCES attempts (id) ON DELETE RESTRICT,
    CONSTRAINT fills_intent_id_key UNIQUE (intent_id),
    CONSTRAINT fills_intent_id_fkey FOREIGN KEY(intent_id) REFERENCES intents (id) ON DELETE RESTRICT,
    CONSTRAINT fills_vault_fkey FOREIGN KEY(vault) REFERENCES vaults (address) ON DELETE RESTRICT,
    CONSTRAINT fills_signature_key UNIQUE (signature)
);

CREATE INDEX idx_fills_leader_slot ON fills (leader, slot);

CREATE INDEX idx_fills_vault_leader ON fills (vault, leader);

CREATE TABLE trades (
    id VARCHAR(255) NOT NULL,
    user_id VARCHAR(255),
    execution_job_id VARCHAR(255),
    from_token VARCHAR(255) NOT NULL,
    to_token VARCHAR(255) NOT NULL,
    amount NUMERIC(20, 6) NOT NULL,
    status VARCHAR(50) NOT NULL,
    slippage NUMERIC(5, 2),
    transaction_signature VARCHAR(255),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    genesis_hash TEXT NOT NULL,
    attempt_id TEXT NOT NULL,
    amount_in_raw NUMERIC(39, 0) NOT NULL,
    amount_out_raw NUMERIC(39, 0),
    slippage_fraction DOUBLE PRECISION,
    was_clamped BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT trades_pkey PRIMARY KEY (id),
    CONSTRAINT trades_user_id_fkey FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT trades_execution_job_id_fkey FOREIGN KEY(execution_job_id) REFERENCES execution_jobs (id),
    CONSTRAINT trades_attempt_id_key UNIQUE (attempt_id),
    CONSTRAINT trades_attempt_id_fkey FOREIGN KEY(attempt_id) REFERENCES attempts (id) ON DELETE RESTRICT
);

CREATE INDEX idx_trades_user_created ON trades (user_id, created_at DESC);

