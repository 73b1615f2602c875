"""Signed package repositories of the lab: what its guests, which have no internet, install with dnf and apt."""
