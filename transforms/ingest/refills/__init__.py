"""How long a supply lasts where the row itself does not tell: by the person's refills, or by those of all persons."""
