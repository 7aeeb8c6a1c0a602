"""What balances alone cannot tell, by program. A file stands here only where it changes an outcome."""
