"""The Docker engine, and what a stack has on it."""
