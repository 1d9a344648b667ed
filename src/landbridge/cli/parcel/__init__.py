"""`landbridge parcel …`."""
