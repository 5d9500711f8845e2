"""CSV: headers and fields."""
