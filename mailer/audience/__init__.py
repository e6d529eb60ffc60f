"""Who gets it and who may not."""
