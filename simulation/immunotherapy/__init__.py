"""Antibodies, cells, vaccines and adverse events."""
