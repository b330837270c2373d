"""Benchmarks that print the README's and docs' tables: ours and its peers, in one run."""
