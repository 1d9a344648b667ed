"""`landbridge new …`."""
