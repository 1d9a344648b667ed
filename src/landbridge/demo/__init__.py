"""The demo and what it stands on: a small warehouse made of public data, and a PostgreSQL server to throw away."""
