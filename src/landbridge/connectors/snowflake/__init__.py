"""Snowflake: an account as source, target and catalog."""
