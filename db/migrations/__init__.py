"""Schema history; run by db.engine.migrate."""
