"""What is kept about people: entries of the audit log, export and erasure, retention."""
