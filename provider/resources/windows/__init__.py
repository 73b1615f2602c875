"""What is on a Windows companion."""
