"""Tables, charts and time lines."""
