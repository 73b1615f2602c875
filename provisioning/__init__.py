"""What is done to hosts and to the Proxmox API. Knows nothing of Pulumi."""
