"""Channels: their state in the broker, control changes, listeners, and which worker serves which channel."""
