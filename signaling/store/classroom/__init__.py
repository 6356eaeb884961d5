"""Teaching sessions in the database: event logs, their snapshots, an index of sessions, answers of repeated calls."""
