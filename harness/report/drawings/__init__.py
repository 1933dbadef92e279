"""The drawings, a file for each kind of figure: `data` makes what is drawn from the records, `plot` draws it."""
