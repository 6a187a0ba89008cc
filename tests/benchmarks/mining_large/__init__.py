"""Mining a large table: memory, time, and tree search against beam search where depth has room.

Reading order: made_table, contest, judged, tables, __main__.
"""
