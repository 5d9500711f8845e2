"""Suricata's EVE records."""
