"""The checks of preflight: one module a concern, and the rulebook that names what each may find."""
