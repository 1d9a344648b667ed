"""Parcels at rest: where they lie, how they are written and read. The format is docs/parcel.md."""
