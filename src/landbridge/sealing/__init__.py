"""Keys, sealing and signatures: bytes in, bytes out. The rules stand in docs/parcel.md."""
