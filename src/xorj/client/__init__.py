"""The API for Python programs: typed answers, sign-in by any wallet that can sign bytes, errors that name the problem."""
