"""Tables in, text out. No arithmetic beyond formatting."""
