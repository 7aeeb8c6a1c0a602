"""PostgreSQL, the truth and the work queue: tables, migrations, and one store a domain. One store method is one transaction."""
