"""A wallet's transactions as swaps: decoding, valuation, ingestion. Used by performance, trust and copying."""
