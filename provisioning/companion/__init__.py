"""The Windows companion of a host: config files on its share, edited through the host's mount."""
