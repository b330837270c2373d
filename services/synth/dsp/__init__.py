"""Signal processing as pure functions of parameters and frame positions."""
