"""What every JSON format stands on: the compiled reader, documents cut into records, rules."""
