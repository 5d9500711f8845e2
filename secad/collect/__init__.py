"""READ and PARSE: bytes of sources become Arrow tables of events and rejects."""
