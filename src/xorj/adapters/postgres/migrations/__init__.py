"""The database's history, run by xorj.adapters.postgres.migrate. Add one: a file in versions/ that says what it changes and why."""
