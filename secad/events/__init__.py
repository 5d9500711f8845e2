"""NORMALISE and keep: the event store and its ledger."""
