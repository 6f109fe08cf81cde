"""The files that Impasse reads: what says what to do, and deliveries."""
