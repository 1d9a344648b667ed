"""`landbridge keys …`."""
