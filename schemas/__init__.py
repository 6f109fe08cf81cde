"""What is true by declaration: tables, definitions, study files, code lists. Opens no file."""
