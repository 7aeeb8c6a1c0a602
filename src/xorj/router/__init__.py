"""Pure codec of Jupiter v6: route instructions, events, quotes. Used by execution, signing, the local chain and the demo."""
