"""Compose projects: what a host's own compose makes of their files, and whether they may run there."""
