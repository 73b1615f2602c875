"""Services that a site has besides Proxmox: a server of Docker's packages and a registry, both beside the API."""
