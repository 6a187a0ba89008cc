"""Mining: the offline search for rules in labelled evidence.

Reading order, each line resting on those before it:

- examples as bits: errors, body, columns, table, checks
- what rules may be made of: sample, phrases, counting, ranking, candidates
- what a search asks: reward, scan, proposals, found, evaluator
- the searches: node, search; the baseline, beam
- all rules of a task: covering, consistent, miner_settings, in_time, miner
- the few that are kept, and how far to believe them: cover, logistic, held_out, firing_table,
  reliability_fit, mined
- what they answer, and how true that is: answers, calibration
- with few labels or wrong ones: described, unlabelled, pseudo_labels, self_training
- whether a release gets in: compared, bootstrap, gate

Every name is imported from its module; what runs live imports none of them, and so needs no numpy
for its rules.
"""
