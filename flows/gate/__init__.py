"""Nothing from a person's row leaves through an error or a library."""
