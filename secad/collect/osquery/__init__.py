"""osquery's results."""
