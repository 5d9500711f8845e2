"""Ingest, fit, detect, rank: each reads top to bottom along the folders of the house."""
