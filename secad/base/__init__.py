"""Floor 1: errors, schemas, protocols, settings, artifacts and the database: what every room may know."""
