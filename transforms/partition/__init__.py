"""Persons cut into buckets and parts, so that as many are worked on at a time as fit into memory."""
