"""Environments side by side: which there are, what they are on, in what they differ, and how a new one begins."""
