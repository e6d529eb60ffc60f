"""Which articles, in what order, and why. Pure: no files, no database, no clock."""
