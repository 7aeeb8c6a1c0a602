"""One module a migration; a released one never changes."""
