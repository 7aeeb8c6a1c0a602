"""Every metric of the project, so that names, units and labels are chosen once. Domain code returns values; workflows and services count.

Names: `xorj_`, a noun, the base unit; counters end in `_total`. No label may hold a wallet, a mint, a signature or a raw path.
"""

from prometheus_client import Counter, Gauge, Histogram

LATENCY_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

BUILD = Gauge("xorj_build_info", "The running version of a process; always 1.", ["service", "version"])
HTTP_REQUESTS = Counter("xorj_http_requests_total", "Answered requests by route template.", ["service", "method", "route", "status"])
HTTP_SECONDS = Histogram(
    "xorj_http_request_seconds", "Time to the end of the answer.", ["service", "method", "route"], buckets=LATENCY_SECONDS
)
HEALTH_CHECK = Gauge("xorj_health_check_ok", "1 when the check passed the last time it was asked, else 0.", ["service", "check"])
LEADER_TRADES = Counter("xorj_leader_trades_total", "Trades of followed leaders seen, by direction.", ["direction"])
DECISIONS = Counter("xorj_decisions_total", "Decisions about leader trades, by outcome and rule.", ["outcome", "rule"])
LEADERS_PAUSED = Gauge("xorj_leaders_paused", "Leaders for whom nothing is opened at present, because of how their live copies went.")
LEADER_ALERTS = Counter("xorj_leader_alerts_total", "What live copies told of leaders: paused, resumed, sold into copies.", ["what"])
COPYING_ENDED = Counter("xorj_copying_ended_total", "Vaults in which copying ended by the owner's doing or by time, by reason.", ["reason"])
INGESTED = Counter("xorj_ingested_records_total", "Transactions of wallets read into the lake, by outcome.", ["outcome"])
UNDECODABLE = Counter("xorj_undecodable_total", "Transactions that were not understood, by reason.", ["reason"])
HISTORY_BREAKS = Counter(
    "xorj_history_breaks_total", "Balances that changed between two transactions of a wallet that follow each other, by what.", ["what"]
)
WALLETS_LEFT_OUT = Gauge("xorj_wallets_left_out", "Wallets of the last pass whose cursor no node lists any more.")
WALLETS_GAPPED = Gauge("xorj_wallets_gapped", "Wallets in whose history something is unexplained; they are not ranked.")
INGEST_READ = Gauge("xorj_ingest_read_transactions", "Transactions that the pass of ingestion that is under way has read.")
INGEST_TO_READ = Gauge("xorj_ingest_to_read_transactions", "Transactions that it is to read, as far as that is known.")
INGEST_GAPS = Gauge("xorj_ingest_gaps_wallets", "Wallets in which it found a gap.")
INGEST_PAGES = Counter("xorj_ingest_pages_total", "Pages of addresses' histories that were read.")
HISTORY_ADDED = Counter(
    "xorj_history_added_total", "Transactions that a source had not listed and that a balance or a second source brought to light."
)
HISTORY_DENIED = Counter("xorj_history_denied_total", "Transactions that the second source does not list although it must.")
OVERLAY_TRANSACTIONS = Gauge("xorj_overlay_transactions", "Confirmed transactions that are not final yet.")
OVERLAY_MOVED = Counter("xorj_overlay_moves_total", "Confirmed transactions that came, became final or were undone.", ["what"])
PROVIDER_REQUESTS = Counter(
    "xorj_provider_requests_total", "Requests for history by provider and what came of them.", ["provider", "result"]
)
PROVIDER_TURNS = Counter("xorj_provider_retries_total", "Times that all providers were asked again after a pause.")
PROVIDER_HEALTH = Gauge("xorj_provider_health_ratio", "Share of a provider's last requests for history that it answered.", ["provider"])
PROVIDER_LAG_SLOTS = Gauge(
    "xorj_provider_lag_slots", "Finalized slots that a provider is behind the newest one; not a number while it does not say.", ["provider"]
)
INGEST_SECONDS = Histogram("xorj_ingest_seconds", "Time of one pass of ingestion.", buckets=LATENCY_SECONDS)
INGEST_LAG_SLOTS = Gauge("xorj_ingest_lag_slots", "Finalized slots that the lake has not seen.")
SCORING_RUNS = Counter("xorj_scoring_runs_total", "Scoring runs, by how they ended.", ["status"])
BOOKS_DIFFERING = Gauge("xorj_books_differing_wallets", "Wallets whose followed books the daily full computation found wrong.")
BOOKS_COMPARED = Gauge("xorj_books_compared_timestamp_seconds", "When the followed books were last compared with a full rebuild.")
RANKS_SECONDS = Histogram(
    "xorj_ranks_fresh_seconds",
    "At most so long after its transaction was finalized a swap was in the served ranks: from the last look that had not seen it.",
    buckets=LATENCY_SECONDS,
)
SCORING_SECONDS = Histogram("xorj_scoring_seconds", "Time of one scoring run.", buckets=LATENCY_SECONDS)
TRADERS_RANKED = Gauge("xorj_traders_ranked", "Wallets that the newest run ranked.")
TRUST_CALIBRATION_ERROR = Gauge(
    "xorj_trust_calibration_error",
    "Of the newest weekly report: mean distance between predicted and observed chances, 0 to 1; alarm above 0.05.",
)
EXECUTIONS = Counter("xorj_trade_executions_total", "Intents that came to an end, by how.", ["result"])
BRAKES = Counter("xorj_brakes_total", "Pauses and burns of the bot that came to an end, by kind and how.", ["kind", "result"])
EXECUTION_SECONDS = Histogram(
    "xorj_execution_seconds", "From taking up an intent to handing its bytes to the network.", buckets=LATENCY_SECONDS
)
ATTEMPTS_OPEN = Gauge("xorj_attempts_open", "Attempts whose fate is not proven yet, by whether a person must look.", ["in_doubt"])
PROVIDER_DISAGREEMENTS = Counter(
    "xorj_provider_disagreements_total", "Landed transactions of ours that a provider denies or shows otherwise.", ["provider"]
)
LEASE_EPOCH = Gauge("xorj_lease_epoch", "The lease epoch that this process acts under, 0 while it does not act.")
SIGNATURES = Counter("xorj_signatures_total", "What the signer was asked to sign, by the rule that refused it or 'signed'.", ["result"])
MESSAGES = Counter("xorj_outbox_messages_total", "Deliveries of the outbox's messages, by what came of them.", ["result"])
OUTBOX_BACKLOG = Gauge("xorj_outbox_backlog", "Messages of the outbox that are still to be delivered.")
OUTBOX_OLDEST_SECONDS = Gauge("xorj_outbox_oldest_seconds", "Age of the oldest message that is still to be delivered.")
