"""Mined rules on the Taobao dialogues and CLINC150: every bar with its figure and its interval.

Read `__main__` (the command), `bench` (what every row is given), `outer` and `training` (what is
held out and what is mined), `artefacts` (the cache, for other benchmarks too), `judged` and
`intervals` (figures), then the rows: `rules_alone`, `pack_alone`, `believed`, `calibrated`, `sure`,
`searches`, `peers`, `timing`, `fewer_labels`, `utterances`.
"""
