"""Built-in accounts, sign-ins and the audit log; every row belongs to a tenant."""
