"""Dead letters read back: what is there, what was sent again, and sending it."""
