"""What a database's schema is, in words that every PostgreSQL version from 15 on says alike."""

import psycopg

COLUMNS = """
    SELECT c.relname, c.relpersistence, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
           pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped
"""
# PostgreSQL 18 lists NOT NULL as a constraint; the columns say it already.
CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
"""
INDEXES = "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
TRIGGERS = "SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"
FUNCTIONS = "SELECT proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace"


def catalog(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Columns, constraints, indexes, triggers and functions of schema public, without the migration tool's own table."""
    with psycopg.connect(url) as connection:
        found = {
            name: sorted(connection.execute(query).fetchall(), key=repr)
            for name, query in {
                "columns": COLUMNS,
                "constraints": CONSTRAINTS,
                "indexes": INDEXES,
                "triggers": TRIGGERS,
                "functions": FUNCTIONS,
            }.items()
        }
    return {name: [row for row in rows if row[0] != "alembic_version"] for name, rows in found.items()}
