"""Argument parsing, progress display and exit codes.

Decides nothing about data; heavy rooms are imported inside the commands, so --help stays fast.
"""
