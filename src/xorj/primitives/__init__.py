"""Value types that every other package stands on; no IO, no clock, no randomness."""
