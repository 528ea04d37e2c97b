"""Use cases: the only place where wire models, rows and numerics meet."""
