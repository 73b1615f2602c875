"""The gate on a Docker host: between the ref that people push to and the one that Portainer follows.

Runs on the host by itself, with Python's own library; `provisioning/steps/portainer/gate.py` brings it there.
"""
