"""Documents in the Elastic Common Schema."""
