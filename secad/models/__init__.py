"""One way to score events, one file; no model knows another."""
