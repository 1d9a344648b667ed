"""The demo: real tables, a real PostgreSQL, two projects that share nothing but files."""
