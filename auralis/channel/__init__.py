"""Channels: their state in the broker, control changes, who listens, and who works for which."""
