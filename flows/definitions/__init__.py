"""What an author of definitions asks for."""
