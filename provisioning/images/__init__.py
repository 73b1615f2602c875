"""The images of a site: built, pushed, and locked to their digests."""
