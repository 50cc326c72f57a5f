"""What a score is measured against: the bad outcomes that followed, and how well it ranked them."""
