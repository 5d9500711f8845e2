"""Provenance edge lists."""
