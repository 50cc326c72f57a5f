"""What the engine costs, measured on real parts. ``README.md`` says what, how, and what was found."""
