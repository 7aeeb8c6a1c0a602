"""Redis or Valkey, where REDIS_URL is set: sessions and rate limits. Losing it loses logins and counts, never safety (ADR 0004)."""
