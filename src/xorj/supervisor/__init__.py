"""Runs XORJ on one machine: the embedded PostgreSQL and the processes of `./xorj up`. Used by cli/operate, demo and tests."""
