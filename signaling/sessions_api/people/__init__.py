"""People of a tenant: sign-in, accounts, audit, privacy, usage."""
