"""OpenTelemetry logs."""
