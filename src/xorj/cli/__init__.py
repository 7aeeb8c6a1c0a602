"""The commands, one file a topic; app.py registers them by name and imports a file only when its command is called."""
