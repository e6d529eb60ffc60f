"""The issue as a file an editor owns, and its life."""
