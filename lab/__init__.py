"""The world in a box: a Proxmox site on one machine. No product code imports it."""
