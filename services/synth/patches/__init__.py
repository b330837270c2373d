"""The instruments: what a patch may contain, and the patches that come with the synth."""
