"""The gateway: mirrors the rings, sends each chunk at its due time, accepts control changes."""
