"""Schema migrations of the database, oldest first."""
