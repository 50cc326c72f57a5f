"""The live view in a terminal: who has it hard now, what was given up, who needs a human and why."""
