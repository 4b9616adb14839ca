"""Pictures of the stored results: `python -m eval pictures`. Needs the extra `eval`."""
