"""The engine: a plan walked through seven phases, one row of the drive table per attempt."""
