"""The ledger: runs, leases and parcels in the drive database; `docs/drive-table.md` is its specification."""
