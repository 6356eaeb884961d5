"""Who may do what: tokens, keys, signatures."""
