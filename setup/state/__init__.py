"""A stack's state: where it is, whether it is sound and ours, the exports it can be restored from."""
