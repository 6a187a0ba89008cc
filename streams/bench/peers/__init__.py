"""One module a peer: the same task, done the way that library does it.

Each has `run(plan, meter)`: read `plan.source` in the group `plan.group`, label every record,
write it under its key to `plan.target`, commit; tell the meter, and return or go on.
"""
