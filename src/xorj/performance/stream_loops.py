"""The loops of the stream: lots in a pool, books by position. Used by stream.py; the arithmetic is that of loops.py."""
