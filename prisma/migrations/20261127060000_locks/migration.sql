-- Locks kept in PostgreSQL, and the fencing tokens of every lock whoever keeps it. Time is this database's clock.

-- One counter for all locks: a token says "later than", nothing else, and a counter for each name would have to be kept for ever.
-- A sequence is never rolled back, and its next value is in the log before it is answered.
CREATE SEQUENCE lock_tokens AS bigint;

CREATE TABLE locks (
  name text PRIMARY KEY,
  owner text NOT NULL,
  holder text NOT NULL,
  token bigint NOT NULL,
  held_since timestamptz NOT NULL,
  held_until timestamptz NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE lock_waiters (
  name text NOT NULL,
  owner text NOT NULL,
  holder text NOT NULL,
  place bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  waits_since timestamptz NOT NULL,
  waits_until timestamptz NOT NULL,
  PRIMARY KEY (name, owner)
) WITH (fillfactor = 50);
CREATE INDEX lock_waiters_queue ON lock_waiters (name, place);

CREATE FUNCTION milliseconds_between(p_from timestamptz, p_to timestamptz) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
  SELECT (extract(epoch FROM p_to) - extract(epoch FROM p_from))::double precision * 1000
$$;

-- Takes the lock or keeps a place in its queue. The advisory lock puts everybody who asks for the same name in one line for the length of
-- this transaction; the lease itself is a row, so it outlives connections and restarts.
CREATE FUNCTION attempt_lock(
  p_name text, p_owner text, p_holder text, p_ttl_ms double precision, p_place_ms double precision,
  OUT token bigint, OUT held_ms double precision, OUT left_ms double precision, OUT place bigint
) LANGUAGE plpgsql AS $$
DECLARE
  v_lock locks%ROWTYPE;
  v_first text;
  v_now timestamptz;
BEGIN
  PERFORM pg_advisory_xact_lock(1819239275, hashtext(p_name));
  v_now := clock_timestamp();
  DELETE FROM lock_waiters w WHERE w.name = p_name AND w.waits_until <= v_now;
  SELECT * INTO v_lock FROM locks l WHERE l.name = p_name AND l.held_until > v_now;
  IF v_lock.owner = p_owner THEN
    token := v_lock.token;
    held_ms := milliseconds_between(v_lock.held_since, v_now);
    left_ms := milliseconds_between(v_now, v_lock.held_until);
    RETURN;
  END IF;
  IF v_lock.owner IS NULL THEN
    SELECT w.owner INTO v_first FROM lock_waiters w WHERE w.name = p_name ORDER BY w.place LIMIT 1;
    IF v_first IS NULL OR v_first = p_owner THEN
      token := nextval('lock_tokens');
      held_ms := 0;
      left_ms := p_ttl_ms;
      INSERT INTO locks AS l (name, owner, holder, token, held_since, held_until)
        VALUES (p_name, p_owner, p_holder, token, v_now, v_now + p_ttl_ms * interval '1 ms')
        ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, holder = excluded.holder, token = excluded.token,
          held_since = excluded.held_since, held_until = excluded.held_until;
      DELETE FROM lock_waiters w WHERE w.name = p_name AND w.owner = p_owner;
      RETURN;
    END IF;
  END IF;
  left_ms := coalesce(milliseconds_between(v_now, v_lock.held_until), 0);
  place := 0;
  IF p_place_ms > 0 THEN
    INSERT INTO lock_waiters AS w (name, owner, holder, waits_since, waits_until)
      VALUES (p_name, p_owner, p_holder, v_now, v_now + p_place_ms * interval '1 ms')
      ON CONFLICT (name, owner) DO UPDATE SET waits_until = greatest(w.waits_until, excluded.waits_until);
    SELECT count(*) INTO place FROM lock_waiters w
      WHERE w.name = p_name AND w.place <= (SELECT m.place FROM lock_waiters m WHERE m.name = p_name AND m.owner = p_owner);
  END IF;
END $$;

-- Names of locks that a token may touch begin with one of these; empty: any but those the control plane keeps for itself.
ALTER TABLE api_tokens ADD COLUMN lock_prefixes text[] NOT NULL DEFAULT '{}';
