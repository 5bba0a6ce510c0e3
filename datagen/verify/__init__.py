"""Proves a dataset right from its files, and shows it: checks, replay, conformance, audit, report.

Reads only; never repairs, never writes into the dataset except the report that was asked for.
"""
