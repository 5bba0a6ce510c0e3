"""Training tasks: `registry.py` finds them, one folder holds each."""
