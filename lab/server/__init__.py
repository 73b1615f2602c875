"""A server that was there before: a guest that no stack made, with somebody else's things on it."""
