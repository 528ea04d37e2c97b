"""Radiation dose and radiobiology."""
