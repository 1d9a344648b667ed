"""A project folder, read once into frozen values; every problem in it is found at once, with file, line and key path."""
