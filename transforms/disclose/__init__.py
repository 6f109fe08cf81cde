"""Disclosure control: no small count leaves, in a table or in a sentence."""
