"""The light table: an issue's editions side by side, for an editor to look at first."""
