"""The seven phases: one file each, a function of plan, row and world that gives an Outcome."""
