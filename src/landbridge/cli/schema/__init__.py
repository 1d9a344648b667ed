"""`landbridge schema …`."""
