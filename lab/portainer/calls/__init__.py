"""The calls of the API, one file a subject; each file's functions register themselves as routes."""
