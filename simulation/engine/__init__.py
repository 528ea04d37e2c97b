"""Event table, lockstep solver, populations, random streams."""
