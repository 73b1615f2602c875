"""What a run of the engine is doing, and what took long, from its events. Values never leave this folder."""
