"""What a token costs, in USD, from a source that is not the one we trade with."""
