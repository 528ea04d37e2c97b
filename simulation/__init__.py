"""Pure numerics: arrays or frozen dataclasses in, the same out."""
