"""Tables beside their rows: looked at, created, migrated, verified."""
