"""Our own other processes, asked over HTTP from the edge: rankings of the quant-engine, and whether each is ready."""
