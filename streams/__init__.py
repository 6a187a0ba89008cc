"""The live path and the composition root: dialogue events in, fused tags out.

Reading order: events, codec, questions, evidence, pipeline, role, tagger, resolver, app.
"""
