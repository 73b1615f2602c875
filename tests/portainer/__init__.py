"""The lab's Portainer against calls recorded from the real one; the same tests run against any server."""
