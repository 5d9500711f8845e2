"""Places that alerts are delivered to."""
