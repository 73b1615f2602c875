"""Stand-in for the pulumi-command plugin: runs commands and copies files, here and over SSH, as that plugin does."""
