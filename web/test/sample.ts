import type { Overview } from "../src/overview";

const usdc = { mint: "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", symbol: "USDC", decimals: 6 };
const bonk = { mint: "DezXAZ8z7PnrnRJjz3wXBoRgixCa6xjnB7YaB1pPB263", symbol: "BONK", decimals: 5 };
const leader = "HN7cABqLq46Es1jh92dQQisAq662SmxELLLsHHe4YWrH";

/** One of everything: a copied entry in flight, a settled exit, a skipped trade with its rule. */
export const sample: Overview = {
  mode: { environment: "local", chain_genesis: "local", worthless: true, slot: 1234, block_time: 1_700_000_000 },
  bot: { state: "active", reason: null, since: null, kill_switch_stopped: false, open_intents: 2 },
  scoring: { run_id: "run", as_of_slot: 1200, status: "completed", completed_at: "2026-01-01T00:00:00Z" },
  leaders: [
    {
      rank: 1,
      wallet: leader,
      score: 37,
      model: "v1",
      eligible: true,
      trade_count: 100,
      win_rate_percent: 80,
      total_return_percent: 90,
      max_drawdown_percent: 10,
      followed: true,
    },
  ],
  vaults: [
    {
      address: "5B8QtPsScaQsw392vnGnUaoiRQ8gy5LzzKdNeXe4qghR",
      owner: leader,
      is_active: true,
      paused: false,
      bot_authority: leader,
      bot_expires_at: null,
      total_deposited_raw: "500000000",
      value_usd: 500,
      balances: [{ ...usdc, amount_raw: "490000000", value_usd: 490 }],
    },
  ],
  trades: [
    {
      id: "trade",
      status: "settled",
      direction: "open",
      input: { ...usdc, amount_raw: "10000000" },
      output: { ...bonk, amount_raw: "100000" },
      signature: "5".repeat(88),
      slot: 1230,
      delay_slots: 2,
      leader_trade: {
        leader,
        signature: "4".repeat(88),
        slot: 1228,
        input: { ...usdc, amount_raw: "100000000" },
        output: { ...bonk, amount_raw: "1000000" },
      },
      reason: null,
      updated_at: "2026-01-01T00:00:00Z",
    },
  ],
  decisions: [
    {
      id: "copied",
      outcome: "copied",
      rule: "share of equity",
      numbers: { share: "0.1" },
      leader,
      leader_signature: "4".repeat(88),
      slot: 1228,
      created_at: "2026-01-01T00:00:00Z",
    },
    {
      id: "skipped",
      outcome: "skipped",
      rule: "below the smallest trade",
      numbers: { size_raw: "100" },
      leader,
      leader_signature: "3".repeat(88),
      slot: 1227,
      created_at: "2026-01-01T00:00:00Z",
    },
  ],
  totals: { settled: 1, reverted: 0, dead: 0, unsettled: 2, copied: 1, resized: 0, skipped: 1, refused: 0 },
};
