-- The hot path as functions: a batch of the loop is one statement, so one round trip and one flush, and its plans stay cached.

-- Gives the entries consecutive numbers in their order; answers with the number before the first.
CREATE FUNCTION append_timeline(p_entries jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_before bigint;
BEGIN
  UPDATE ledger SET timeline_seq = timeline_seq + jsonb_array_length(p_entries)
    RETURNING timeline_seq - jsonb_array_length(p_entries) INTO v_before;
  INSERT INTO timeline (seq, value)
    SELECT v_before + entry.position, entry.value
    FROM jsonb_array_elements(p_entries) WITH ORDINALITY AS entry (value, position);
  RETURN v_before;
END $$;

-- Each element is the text of one entry. The row lock on the ledger puts concurrent writers in one line.
CREATE FUNCTION append_audit(p_bodies jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_seq bigint;
  v_hash text;
  v_previous text;
  v_body text;
BEGIN
  SELECT audit_seq, audit_hash INTO v_seq, v_hash FROM ledger FOR UPDATE;
  FOR v_body IN SELECT body FROM jsonb_array_elements_text(p_bodies) WITH ORDINALITY AS item (body, position) ORDER BY position LOOP
    v_seq := v_seq + 1;
    v_previous := v_hash;
    v_hash := encode(sha256(convert_to(v_previous || E'\n' || v_seq || E'\n' || v_body, 'UTF8')), 'hex');
    INSERT INTO audit (seq, body, previous_hash, hash) VALUES (v_seq, v_body, v_previous, v_hash);
  END LOOP;
  UPDATE ledger SET audit_seq = v_seq, audit_hash = v_hash;
END $$;

-- One decision of the loop, folded by entity (server/store/shared/fold-writes.ts). Refused when the caller no longer leads: the share
-- lock keeps a new leader waiting until this transaction has ended. Answers with the timeline number before the first new entry.
CREATE FUNCTION commit_writes(p_epoch bigint, p_writes jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_leader leader%ROWTYPE;
  v_before bigint := 0;
BEGIN
  SELECT * INTO v_leader FROM leader FOR SHARE;
  IF v_leader.epoch <> p_epoch THEN
    RAISE EXCEPTION 'epoch % is not the newest: % leads with epoch %', p_epoch, v_leader.owner, v_leader.epoch
      USING ERRCODE = 'HF001';
  END IF;
  IF p_writes ? 'nodes' THEN
    INSERT INTO nodes (id, value) SELECT value ->> 'id', value FROM jsonb_array_elements(p_writes -> 'nodes')
      ON CONFLICT (id) DO UPDATE SET value = excluded.value;
  END IF;
  IF p_writes ? 'clusters' THEN
    INSERT INTO clusters (id, value) SELECT value ->> 'id', value FROM jsonb_array_elements(p_writes -> 'clusters')
      ON CONFLICT (id) DO UPDATE SET value = excluded.value;
  END IF;
  IF p_writes ? 'incidents' THEN
    INSERT INTO incidents (id, value) SELECT value ->> 'id', value FROM jsonb_array_elements(p_writes -> 'incidents')
      ON CONFLICT (id) DO UPDATE SET value = excluded.value;
  END IF;
  IF p_writes ? 'actions' THEN
    INSERT INTO actions (id, value) SELECT value ->> 'id', value FROM jsonb_array_elements(p_writes -> 'actions')
      ON CONFLICT (id) DO UPDATE SET value = excluded.value;
  END IF;
  IF p_writes ? 'commands' THEN
    INSERT INTO commands (id, value, finished, outcome)
      SELECT item.record ->> 'id', item.record, item.finished, item.outcome
      FROM jsonb_to_recordset(p_writes -> 'commands') AS item (record jsonb, finished boolean, outcome jsonb)
      ON CONFLICT (id) DO UPDATE SET value = excluded.value, finished = excluded.finished, outcome = excluded.outcome;
  END IF;
  IF p_writes ? 'finished' THEN
    UPDATE commands SET finished = true, outcome = item.outcome
      FROM jsonb_to_recordset(p_writes -> 'finished') AS item (id text, outcome jsonb)
      WHERE commands.id = item.id;
  END IF;
  IF p_writes ? 'settings' THEN
    INSERT INTO settings (key, value) SELECT key, value FROM jsonb_each(p_writes -> 'settings')
      ON CONFLICT (key) DO UPDATE SET value = excluded.value;
  END IF;
  IF p_writes ? 'notes' THEN
    INSERT INTO notes (id, incident_id, at, author, text)
      SELECT id, "incidentId", at, author, text FROM jsonb_to_recordset(p_writes -> 'notes')
        AS note (id text, "incidentId" text, at double precision, author text, text text)
      ON CONFLICT (id) DO NOTHING;
  END IF;
  IF p_writes ? 'audit' THEN
    PERFORM append_audit(p_writes -> 'audit');
  END IF;
  IF p_writes ? 'timeline' THEN
    v_before := append_timeline(p_writes -> 'timeline');
  END IF;
  RETURN v_before;
END $$;

-- Spooled records of one agent, exactly once and in order. `p_records` holds, for each record, either `group` (a trace and the group it
-- belongs to) or `entry` (a timeline entry). Groups are written in the order of their ids, so that two agents can't wait for each other.
CREATE FUNCTION apply_records(p_node text, p_spool text, p_first bigint, p_records jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_applied bigint;
  v_last bigint := p_first + jsonb_array_length(p_records) - 1;
  v_entries jsonb;
BEGIN
  INSERT INTO spools (node, spool_id, applied) VALUES (p_node, p_spool, 0) ON CONFLICT DO NOTHING;
  SELECT applied INTO v_applied FROM spools WHERE node = p_node AND spool_id = p_spool FOR UPDATE;
  IF p_first > v_applied + 1 OR v_last <= v_applied THEN
    RETURN v_applied;
  END IF;

  INSERT INTO trace_groups AS known (id, service, language, type, message, frames, count, first_seen_at, last_seen_at, nodes, why)
    SELECT r.value #>> '{group,id}',
      (array_agg(r.value #>> '{group,trace,service}' ORDER BY r.position))[1],
      (array_agg(r.value #>> '{group,trace,language}' ORDER BY r.position))[1],
      (array_agg(r.value #>> '{group,trace,type}' ORDER BY r.position))[1],
      (array_agg(r.value #>> '{group,trace,message}' ORDER BY r.position))[1],
      (array_agg(r.value #> '{group,trace,frames}' ORDER BY r.position))[1],
      sum((r.value #>> '{group,trace,count}')::bigint),
      min((r.value #>> '{group,at}')::double precision),
      max((r.value #>> '{group,at}')::double precision),
      ARRAY[p_node],
      (array_agg(ARRAY(SELECT jsonb_array_elements_text(r.value #> '{group,why}'))::text ORDER BY r.position))[1]::text[]
    FROM jsonb_array_elements(p_records) WITH ORDINALITY AS r (value, position)
    WHERE r.value ? 'group' AND p_first + r.position - 1 > v_applied
    GROUP BY 1
    ORDER BY 1
    ON CONFLICT (id) DO UPDATE SET
      count = known.count + excluded.count,
      first_seen_at = least(known.first_seen_at, excluded.first_seen_at),
      last_seen_at = greatest(known.last_seen_at, excluded.last_seen_at),
      nodes = CASE WHEN p_node = ANY (known.nodes) THEN known.nodes
        ELSE ARRAY(SELECT unnest(known.nodes || excluded.nodes) AS node ORDER BY node) END;

  INSERT INTO trace_examples (group_id, node, at, trace)
    SELECT DISTINCT ON (1) r.value #>> '{group,id}', p_node, (r.value #>> '{group,at}')::double precision, r.value #> '{group,trace}'
    FROM jsonb_array_elements(p_records) WITH ORDINALITY AS r (value, position)
    WHERE r.value ? 'group' AND p_first + r.position - 1 > v_applied
    ORDER BY 1, r.position DESC
    ON CONFLICT (group_id, node) DO UPDATE SET at = excluded.at, trace = excluded.trace;

  SELECT jsonb_agg(r.value -> 'entry' ORDER BY r.position) INTO v_entries
    FROM jsonb_array_elements(p_records) WITH ORDINALITY AS r (value, position)
    WHERE r.value ? 'entry' AND p_first + r.position - 1 > v_applied;
  IF v_entries IS NOT NULL THEN
    PERFORM append_timeline(v_entries);
  END IF;

  UPDATE spools SET applied = v_last WHERE node = p_node AND spool_id = p_spool;
  RETURN v_last;
END $$;
