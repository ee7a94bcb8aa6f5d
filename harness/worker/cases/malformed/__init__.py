"""The suite `malformed`: a malformed model is refused with a typed error, or means what it says."""
