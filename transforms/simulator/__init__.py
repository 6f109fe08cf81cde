"""A made-up registry: same seed, same bytes, nobody's data."""
