"""The command line: arguments in, services called, values out. It decides nothing itself."""
