"""A run: what is planned, its steps, what it keeps, and its publication."""
