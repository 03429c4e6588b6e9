/** The migrated, empty database that each test database is cloned from. */
export const TEMPLATE_DATABASE = 'parley_template';
