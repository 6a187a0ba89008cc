"""How a registry's tables come into being, revision by revision (Alembic)."""
