"""From labelled rows to files."""
