"""Floor 1: what every room may know: errors, schemas, protocols, settings, the database."""
