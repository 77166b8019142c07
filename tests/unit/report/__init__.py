"""The page of a run, and the file it is made of."""
