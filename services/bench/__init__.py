"""Benchmarks that print the README's and docs' tables: Auralis and its peers, in one run."""
