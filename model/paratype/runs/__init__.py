"""Runs: inputs labelled into an output file, which is whole or not there."""
