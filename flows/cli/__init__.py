"""The `impasse` command."""
