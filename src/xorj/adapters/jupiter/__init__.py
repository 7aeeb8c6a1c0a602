"""Jupiter's HTTP API: routes, prices, names of tokens. The local chain serves the same shapes."""
