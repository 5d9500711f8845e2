"""Other tools' alerts: columns, maps, severities."""
