"""Files, folders and stores: what is read, what is written, and that neither is left half done or open to others."""
