"""What the models are worth: `python -m eval --help`."""
