"""Verdicts -> what is published: prevalence, agreement, where episodes are lost, characteristics."""
