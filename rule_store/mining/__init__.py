"""Mining: the offline search for rules in labelled evidence.

Reading order: body, table, columns, checks, phrases, counting, ranking, candidates. Every name is
imported from its module; what runs live imports none of them, and so needs no numpy for its rules.
"""
