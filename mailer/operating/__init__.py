"""Running for years: a supervisor, health, figures, copies, and what an operator sees."""
