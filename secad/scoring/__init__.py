"""From raw scores to calibrated p-values, severities and alert rows."""
