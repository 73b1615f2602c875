"""Windows companions of the site's VMs: real SMB shares with trees of config files, and SSH with a stand-in behind."""
