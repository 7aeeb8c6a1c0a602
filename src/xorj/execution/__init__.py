"""From an intent to a settled trade, exactly once. `execute_intents` goes forward, `reconcile_intents` settles from the chain."""
