"""A companion's share, in a folder of this machine."""
