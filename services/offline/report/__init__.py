"""A piece as one page to look at: its score drawn, its sound and its music measured."""
