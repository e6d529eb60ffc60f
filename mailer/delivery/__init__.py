"""The promise to each reader, kept."""
