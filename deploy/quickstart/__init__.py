"""Sample dialogues and screenshots of the made-up shop Larkspur Goods, and the code behind them.

Read in this order: `draws` (repeatable choices), `phrases`, `replies` and `typos` (what people
say), `dialogues` (turns and labels), `page` and `screens` (what a screenshot says), `drawing`,
`wear` and `png` (how it becomes a file), `generate` (the command).
"""
