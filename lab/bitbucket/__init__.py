"""A stand-in for Bitbucket Cloud's REST API 2.0: comments on pull requests, as its published OpenAPI says.

For tests only: no command of the lab starts it. What it holds is gone when it ends.
"""
