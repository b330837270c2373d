"""The score log: its events, the versioned score that reading it gives, and both of its ends."""
