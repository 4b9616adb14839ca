"""From the guideline and the corpus to saved models: `python -m training --help`."""
