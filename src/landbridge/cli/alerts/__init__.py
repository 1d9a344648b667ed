"""`landbridge alerts …`."""
