"""What a user asks for, where it takes several stages: values in, values out.

The command line, the scheduler and the pages call these functions; the stages below do the work.
"""
