"""Runs the migrations on the connection, and in the transaction, that ``database`` hands over."""

from __future__ import annotations

from alembic import context


def run() -> None:
    """Brings the schema forward, to the version that the caller named."""
    context.configure(connection=context.config.attributes["connection"], target_metadata=None)
    context.run_migrations()


if hasattr(context, "config"):  # alembic sets it where it runs this file, an import does not
    run()
