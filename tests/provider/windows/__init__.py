"""What the provider serves of companions."""
