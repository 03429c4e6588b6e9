/** What commands read of the environment beside AppConfig, or without it. */
export function commandEnvironment(env: Record<string, string | undefined> = process.env): {
  /** Postgres without PgBouncer. */
  directDatabaseUrl: string | undefined;
  /** Password of the admin that `create-admin` makes. */
  adminPassword: string | undefined;
} {
  return {
    directDatabaseUrl: env['DATABASE_DIRECT_URL'] ?? env['DATABASE_URL'],
    adminPassword: env['ADMIN_PASSWORD'],
  };
}
