"""The Docker API behind the server: what is passed on, refused and added on the way."""
