"""Definitions, results and numbers as sentences."""
