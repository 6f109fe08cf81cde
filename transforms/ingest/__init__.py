"""Delivered rows -> canonical tables, and every row that is refused with the rule that refused it."""
