"""Measurements, run by hand; each prints figures that docs/status.md dates."""
