"""Who may do what: tokens, keys and signatures."""
