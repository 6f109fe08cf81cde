"""Pure functions: tables and one rule in, one table out. No files, no clock, no Prefect."""
