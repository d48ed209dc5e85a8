/** The shop's only table, on the cluster's primary. The index makes looking up a card's payments fast. */
export const paymentsTable = "shop_payments";
export const cardIndex = "shop_payments_card";
export const seededPayments = 300_000;

export const createStatements: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS ${paymentsTable} (id bigserial PRIMARY KEY, card text NOT NULL, cents int NOT NULL, at timestamptz NOT NULL DEFAULT now())`,
  `INSERT INTO ${paymentsTable} (card, cents) SELECT 'card-' || (n % 40000), n % 9000 FROM generate_series(1, ${seededPayments}) n WHERE NOT EXISTS (SELECT 1 FROM ${paymentsTable})`,
];

export const createIndex = `CREATE INDEX IF NOT EXISTS ${cardIndex} ON ${paymentsTable} (md5(card))`;
export const dropIndex = `DROP INDEX IF EXISTS ${cardIndex}`;
export const analyze = `ANALYZE ${paymentsTable}`;

export const selectPayments = `SELECT count(*) AS count, coalesce(sum(cents), 0) AS cents FROM ${paymentsTable} WHERE md5(card) = md5($1)`;
export const insertPayment = `INSERT INTO ${paymentsTable} (card, cents) VALUES ($1, $2) RETURNING id`;
