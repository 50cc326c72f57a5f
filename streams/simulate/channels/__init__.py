"""What happens on each channel: episodes, each of which plays a part of a matter and names the next one."""
