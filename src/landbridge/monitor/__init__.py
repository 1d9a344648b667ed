"""Alerts: from what the engine tells to where people look; nothing here ever breaks or holds up a run."""
