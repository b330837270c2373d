"""The synth: renders the score into chunks and pushes them into the ring."""
