"""The kinds of figures, a file each: a function of the figure asked for and the records to draw."""
