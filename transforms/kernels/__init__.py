"""Loops compiled to machine code and the array helpers that they need. No word of medicine in here."""
