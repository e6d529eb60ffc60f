"""Everything up to a clean Article."""
