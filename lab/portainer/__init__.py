"""A stand-in for Portainer CE 2.23.0: behaves as data/portainer-calls shows, with real Docker, Compose and git.

Copied into its image alone: nothing here may import other parts of `lab` or `setup`.
"""

import os

VERSION = os.environ.get("HYPERCOMPOSE_LAB_PORTAINER_VERSION") or "2.23.0"
"""Another one only shows what an upgrade does: everything else of it is 2.23.0."""
