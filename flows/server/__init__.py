"""The Prefect server of a run for which no server is named."""
