"""Who is asking, and what they may do: sign-in by a wallet's signature, sessions, permissions. Used by the gateway."""
