"""A stand-in for Portainer CE 2.23.0: behaves as data/portainer-calls shows, with real Docker, Compose and git.

Copied into its image alone: nothing here may import other parts of `lab` or `setup`.
"""

VERSION = "2.23.0"
