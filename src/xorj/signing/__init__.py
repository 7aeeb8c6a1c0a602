"""What the signer may sign. Knows the vault program and nothing of execution: what it is asked for is judged, not trusted."""
