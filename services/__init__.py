"""The services, in the order of the data: composer, synth, gateway. None of them imports another."""
