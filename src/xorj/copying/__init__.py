"""A leader's trade to one decision a follower, and an intent for each leg that is copied. Used by the trade-bot."""
