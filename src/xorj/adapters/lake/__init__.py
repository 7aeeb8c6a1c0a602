"""The lake: swap history in a Delta table, ACID, readable by any engine that knows the format."""
