"""Stand-in for Pulumi's Python language host: runs the program in the project's virtual environment."""
