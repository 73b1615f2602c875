"""Around `pulumi up`: recovery after a crash. Reads the state; the engine alone writes it."""
