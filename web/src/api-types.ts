export interface components {
  schemas: {
    Overview: {
      mode: { environment: string; chain_genesis: string; worthless: boolean; slot: number | null; block_time: number | null };
      bot: { state: "active" | "paused" | "stopped"; reason: string | null; since: string | null; kill_switch_stopped: boolean; open_intents: number };
      scoring: { run_id: string; as_of_slot: number | null; status: string; completed_at: string | null } | null;
      leaders: { rank: number; wallet: string; score: number; model: string; eligible: boolean; trade_count: number | null; win_rate_percent: number | null; total_return_percent: number | null; max_drawdown_percent: number | null; followed: boolean }[];
      vaults: { address: string; owner: string; is_active: boolean; paused: boolean; bot_authority: string | null; bot_expires_at: number | null; total_deposited_raw: string; value_usd: number | null; balances: { mint: string; symbol: string; decimals: number; amount_raw: string; value_usd: number | null }[] }[];
      trades: { id: string; status: string; direction: string; input: components["schemas"]["Amount"]; output: components["schemas"]["Amount"] | null; signature: string | null; slot: number | null; delay_slots: number | null; leader_trade: { leader: string; signature: string; slot: number; input: components["schemas"]["Amount"]; output: components["schemas"]["Amount"] } | null; reason: string | null; updated_at: string }[];
      decisions: { id: string; outcome: string; rule: string; numbers: Record<string, unknown>; leader: string; leader_signature: string; slot: number; created_at: string }[];
      totals: { settled: number; reverted: number; dead: number; unsettled: number; copied: number; resized: number; skipped: number; refused: number };
    };
    Amount: { mint: string; symbol: string; decimals: number; amount_raw: string | null };
  };
}
