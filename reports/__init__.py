"""A run's tables in, pages and sentences out. No arithmetic beyond formatting."""
