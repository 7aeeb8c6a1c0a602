"""What pages, API and command line show: read models and their ports. Nothing decides by them."""
