"""What touches the world: one file per kind of system, each after the contracts of the floor below."""
