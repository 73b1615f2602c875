"""A pull request's previews as one comment: what happens to whom, with names only. Rendering never imports posting."""
