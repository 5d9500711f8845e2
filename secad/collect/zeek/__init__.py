"""Zeek's logs: headers, TSV, JSON, fields."""
