"""The stand-in for PowerShell, and the scripts that it knows."""
