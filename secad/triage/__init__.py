"""The unified alert store, ranking and sinks."""
