"""Steps: changes to a host as data, one kind a file. Holds commands; runs none."""
