"""What every process shows of itself: logs, metrics, health, and the HTTP server that serves them. Nothing here knows the domain."""
