"""Tumor models: every lesion under both therapies."""
