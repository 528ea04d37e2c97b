"""Wire models: units, bounds and examples in one place."""
