"""Pure functions of tables: spans, phrases, templates, views."""
