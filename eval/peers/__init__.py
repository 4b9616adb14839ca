"""Paratype beside what a user would pick instead, trained and scored on the same rows: `python -m eval peers`."""
