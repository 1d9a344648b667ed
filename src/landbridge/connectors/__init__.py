"""What touches the world: one folder per kind of system, each after the contracts of the floor below."""
