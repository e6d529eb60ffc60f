"""When: the week's calendar, the rows that remember what ran, and the process that asks."""
