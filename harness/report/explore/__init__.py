"""What the section "Explore" shows: the records once, for its chart, its table and its CSV."""
