"""A project folder, read once into frozen values; all its problems are found together, with file, line and key path."""
