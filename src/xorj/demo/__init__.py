"""The demo: a market with leaders on the local chain, a follower, and the run that proves the main job. Everything in it is worthless."""
