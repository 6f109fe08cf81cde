"""OMOP CDM tables -> drafts of the canonical tables."""
