-- Durable things of every other kind (server/core/documents.ts), stored whole as the core wrote them.
CREATE TABLE documents (
  kind text NOT NULL,
  id text NOT NULL,
  value jsonb NOT NULL,
  opened_at double precision NOT NULL GENERATED ALWAYS AS ((value ->> 'openedAt')::double precision) STORED,
  closed_at double precision GENERATED ALWAYS AS ((value ->> 'closedAt')::double precision) STORED,
  PRIMARY KEY (kind, id)
) WITH (fillfactor = 70);
CREATE INDEX documents_open ON documents (kind, id) WHERE closed_at IS NULL;
CREATE INDEX documents_opened_at ON documents (kind, opened_at DESC, id DESC);

-- One decision of the loop, folded by entity (server/store/shared/fold-writes.ts). Refused when the caller no longer leads: the share
-- lock keeps a new leader waiting until this transaction has ended. Answers with the timeline number before the first new entry.
CREATE OR REPLACE FUNCTION commit_writes(p_epoch bigint, p_writes jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
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
  IF p_writes ? 'documents' THEN
    INSERT INTO documents (kind, id, value) SELECT value ->> 'kind', value ->> 'id', value FROM jsonb_array_elements(p_writes -> 'documents')
      ON CONFLICT (kind, id) DO UPDATE SET value = excluded.value;
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
