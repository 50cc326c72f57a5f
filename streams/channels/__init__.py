"""Channel fit from history: which channel settles which matter. Offline; no worker imports this."""
