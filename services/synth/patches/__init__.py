"""The instruments: what a patch may say, and the patches that come with the synth."""
