"""What the made sample logs are made of: one story module per log, and the pieces they share."""
