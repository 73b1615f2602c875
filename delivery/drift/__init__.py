"""What differs between a stack's state and the world, as a report that changes nothing. See docs/drift.md."""
