"""Windows events: fields and kinds in every form they are written in, and the chunks of EVTX."""
