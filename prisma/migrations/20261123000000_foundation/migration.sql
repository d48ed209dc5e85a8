-- Times are wall-clock milliseconds as double precision, like the core's numbers, except in the tables that better-auth owns.
-- Entities are stored whole as the core wrote them; the columns that queries need are generated from them and can't disagree.

-- ---- leader and ledger: one row each ----

CREATE TABLE leader (
  id smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  epoch bigint NOT NULL,
  owner text NOT NULL,
  since timestamptz NOT NULL
);
INSERT INTO leader (epoch, owner, since) VALUES (0, '', now());

-- Heads of the two numbered records. A sequence would leave gaps when a transaction rolls back.
CREATE TABLE ledger (
  id smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  timeline_seq bigint NOT NULL,
  audit_seq bigint NOT NULL,
  audit_hash text NOT NULL
);
INSERT INTO ledger (timeline_seq, audit_seq, audit_hash) VALUES (0, 0, repeat('0', 64));

-- ---- entities ----

CREATE TABLE nodes (
  id text PRIMARY KEY,
  value jsonb NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE clusters (
  id text PRIMARY KEY,
  value jsonb NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE incidents (
  id text PRIMARY KEY,
  value jsonb NOT NULL,
  phase text NOT NULL GENERATED ALWAYS AS (value ->> 'phase') STORED,
  cluster text GENERATED ALWAYS AS (value ->> 'cluster') STORED,
  opened_at double precision NOT NULL GENERATED ALWAYS AS ((value ->> 'openedAt')::double precision) STORED
) WITH (fillfactor = 70);
CREATE INDEX incidents_open ON incidents (id) WHERE phase <> 'closed';
CREATE INDEX incidents_opened_at ON incidents (opened_at DESC, id DESC);

CREATE TABLE actions (
  id text PRIMARY KEY,
  value jsonb NOT NULL,
  phase text NOT NULL GENERATED ALWAYS AS (value ->> 'phase') STORED,
  cluster text NOT NULL GENERATED ALWAYS AS (value ->> 'cluster') STORED,
  incident_id text GENERATED ALWAYS AS (value ->> 'incidentId') STORED,
  started_at double precision NOT NULL GENERATED ALWAYS AS ((value ->> 'startedAt')::double precision) STORED
) WITH (fillfactor = 50);
CREATE INDEX actions_running ON actions (id) WHERE phase = 'running';
CREATE INDEX actions_incident ON actions (incident_id);
CREATE INDEX actions_started_at ON actions (started_at DESC, id DESC);

-- The outbox. A finished command stays, with its outcome.
CREATE TABLE commands (
  id text PRIMARY KEY,
  value jsonb NOT NULL,
  action_id text NOT NULL GENERATED ALWAYS AS (value ->> 'actionId') STORED,
  finished boolean NOT NULL DEFAULT false,
  outcome jsonb
) WITH (fillfactor = 70);
CREATE INDEX commands_waiting ON commands (id) WHERE NOT finished;
CREATE INDEX commands_action ON commands (action_id);

-- `counters` and `policy`.
CREATE TABLE settings (
  key text PRIMARY KEY,
  value jsonb NOT NULL
);

-- ---- what happened ----

CREATE TABLE timeline (
  seq bigint PRIMARY KEY,
  value jsonb NOT NULL,
  incident_id text GENERATED ALWAYS AS (value ->> 'incidentId') STORED
);
CREATE INDEX timeline_incident ON timeline (incident_id, seq);

CREATE TABLE notes (
  id text PRIMARY KEY,
  incident_id text NOT NULL,
  at double precision NOT NULL,
  author text NOT NULL,
  text text NOT NULL
);
CREATE INDEX notes_incident ON notes (incident_id, at);

CREATE TABLE audit (
  seq bigint PRIMARY KEY,
  body text NOT NULL,
  previous_hash text NOT NULL,
  hash text NOT NULL,
  actor text GENERATED ALWAYS AS (body::jsonb ->> 'actor') STORED,
  subject text GENERATED ALWAYS AS (body::jsonb ->> 'subject') STORED
);
CREATE INDEX audit_actor ON audit (actor, seq);
CREATE INDEX audit_subject ON audit (subject, seq);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'HF002';
END $$;

CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER timeline_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON timeline
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- ---- spooled records of agents ----

CREATE TABLE spools (
  node text NOT NULL,
  spool_id text NOT NULL,
  applied bigint NOT NULL,
  PRIMARY KEY (node, spool_id)
) WITH (fillfactor = 50);

CREATE TABLE trace_groups (
  id text PRIMARY KEY,
  service text NOT NULL,
  language text NOT NULL,
  type text NOT NULL,
  message text NOT NULL,
  frames jsonb NOT NULL,
  count bigint NOT NULL,
  first_seen_at double precision NOT NULL,
  last_seen_at double precision NOT NULL,
  nodes text[] NOT NULL,
  why text[] NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX trace_groups_last_seen ON trace_groups (last_seen_at DESC);

-- The latest trace of a group on each node.
CREATE TABLE trace_examples (
  group_id text NOT NULL REFERENCES trace_groups (id) ON DELETE CASCADE,
  node text NOT NULL,
  at double precision NOT NULL,
  trace jsonb NOT NULL,
  PRIMARY KEY (group_id, node)
) WITH (fillfactor = 70);

-- ---- metric samples ----

CREATE TABLE sample_series (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  subject text NOT NULL,
  name text NOT NULL,
  UNIQUE (subject, name)
);

CREATE TABLE samples (
  series_id integer NOT NULL,
  at double precision NOT NULL,
  value double precision NOT NULL,
  PRIMARY KEY (series_id, at)
);
CREATE INDEX samples_at ON samples USING brin (at);

-- ---- keys and tokens ----

CREATE TABLE enrolment_tokens (
  hash text PRIMARY KEY,
  labels jsonb NOT NULL,
  node text,
  expires_at double precision NOT NULL,
  created_by text NOT NULL,
  used_at double precision
);

CREATE TABLE command_counters (
  agent_key text PRIMARY KEY,
  reserved bigint NOT NULL
) WITH (fillfactor = 50);

-- The private key is encrypted with AES-256-GCM under the master key that `master_key_id` names.
CREATE TABLE server_key (
  id smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  public_key text NOT NULL,
  master_key_id text NOT NULL,
  sealed_private_key text NOT NULL
);

CREATE TYPE user_role AS ENUM ('viewer', 'operator', 'admin');
CREATE TYPE token_role AS ENUM ('viewer', 'operator', 'admin', 'application');

CREATE TABLE api_tokens (
  id text PRIMARY KEY,
  hash text NOT NULL UNIQUE,
  name text NOT NULL,
  role token_role NOT NULL,
  created_by text NOT NULL,
  created_at double precision NOT NULL,
  expires_at double precision,
  revoked_at double precision,
  last_used_at double precision
);

-- ---- sign-in: the shape is better-auth's ----

CREATE TABLE users (
  id text PRIMARY KEY,
  name text NOT NULL,
  email text NOT NULL UNIQUE,
  email_verified boolean NOT NULL DEFAULT false,
  image text,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now()
);

CREATE TABLE sessions (
  id text PRIMARY KEY,
  expires_at timestamptz(3) NOT NULL,
  token text NOT NULL UNIQUE,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  ip_address text,
  user_agent text,
  user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE accounts (
  id text PRIMARY KEY,
  account_id text NOT NULL,
  provider_id text NOT NULL,
  user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  access_token text,
  refresh_token text,
  id_token text,
  access_token_expires_at timestamptz(3),
  refresh_token_expires_at timestamptz(3),
  scope text,
  password text,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE INDEX accounts_user ON accounts (user_id);

CREATE TABLE verifications (
  id text PRIMARY KEY,
  identifier text NOT NULL,
  value text NOT NULL,
  expires_at timestamptz(3) NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE INDEX verifications_identifier ON verifications (identifier);

CREATE TABLE user_roles (
  user_id text PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  role user_role NOT NULL
);
