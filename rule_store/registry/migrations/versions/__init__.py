"""The revisions, each a step up and a step down."""
