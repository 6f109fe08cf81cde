"""The files of a delivery: found, listed, and read to the last row."""
