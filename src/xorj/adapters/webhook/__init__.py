"""A receiver of our messages at an address that the operator sets."""
