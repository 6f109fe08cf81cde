"""Canonical tables -> what happened to each person: episodes, eras, trials, scores."""
