"""How fast Impasse is on this machine."""
