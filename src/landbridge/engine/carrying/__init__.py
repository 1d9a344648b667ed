"""Parcels on their way: packed, listed, collected, told of in the custody log, purged."""
