"""`landbridge receipts …`."""
