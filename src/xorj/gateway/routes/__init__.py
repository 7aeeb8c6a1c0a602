"""One module a subject. Each has a `router`; app.py adds them all."""
