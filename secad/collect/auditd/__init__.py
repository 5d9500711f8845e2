"""Linux audit records: scanned, named, joined into events."""
