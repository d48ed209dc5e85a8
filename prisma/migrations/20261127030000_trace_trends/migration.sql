-- Merging: a group that was merged into another keeps its own row and its own counts, and points at the other. Splitting takes the pointer
-- away, so nothing is lost either way, and what comes later follows by itself. One level: what is pointed at points at nothing.
ALTER TABLE trace_groups ADD COLUMN merged_into text REFERENCES trace_groups (id) ON DELETE SET NULL;
CREATE INDEX trace_groups_merged_into ON trace_groups (merged_into) WHERE merged_into IS NOT NULL;

-- How many occurrences there were in a minute and in an hour. Old rows are dropped by housekeeping, minutes much earlier than hours.
CREATE TABLE trace_counts (
  group_id text NOT NULL REFERENCES trace_groups (id) ON DELETE CASCADE,
  step_ms integer NOT NULL,
  at double precision NOT NULL,
  count bigint NOT NULL,
  PRIMARY KEY (group_id, step_ms, at)
) WITH (fillfactor = 70);
CREATE INDEX trace_counts_age ON trace_counts (step_ms, at);

-- Points `p_from`, and whatever was merged into them, at `p_into` (or at what that was merged into). Audited in the same transaction.
CREATE FUNCTION merge_trace_groups(p_into text, p_from text[], p_audit jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  v_into text;
  v_known integer;
BEGIN
  PERFORM 1 FROM trace_groups WHERE id = p_into OR id = ANY (p_from) OR merged_into = ANY (p_from) ORDER BY id FOR UPDATE;
  SELECT coalesce(merged_into, id) INTO v_into FROM trace_groups WHERE id = p_into;
  SELECT count(*) INTO v_known FROM trace_groups WHERE id = ANY (p_from);
  IF v_into IS NULL OR v_known <> cardinality(p_from) OR v_known = 0 THEN
    RETURN 'unknown-trace-group';
  END IF;
  IF EXISTS (SELECT FROM trace_groups WHERE id = ANY (p_from) AND coalesce(merged_into, id) = v_into) THEN
    RETURN 'same-trace-group';
  END IF;
  UPDATE trace_groups SET merged_into = v_into WHERE id = ANY (p_from) OR merged_into = ANY (p_from);
  PERFORM append_audit(p_audit);
  RETURN 'done';
END $$;

CREATE FUNCTION split_trace_group(p_part text, p_audit jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  UPDATE trace_groups SET merged_into = NULL WHERE id = p_part AND merged_into IS NOT NULL;
  IF NOT FOUND THEN
    RETURN CASE WHEN EXISTS (SELECT FROM trace_groups WHERE id = p_part) THEN 'not-merged' ELSE 'unknown-trace-group' END;
  END IF;
  PERFORM append_audit(p_audit);
  RETURN 'done';
END $$;

-- Spooled records of one agent, exactly once and in order. `p_records` holds, for each record, either `group` (a trace and the group it
-- belongs to) or `entry` (a timeline entry). Groups are written in the order of their ids, so that two agents can't wait for each other.
CREATE OR REPLACE FUNCTION apply_records(p_node text, p_spool text, p_first bigint, p_records jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
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

  INSERT INTO trace_counts AS known (group_id, step_ms, at, count)
    SELECT r.value #>> '{group,id}', step.ms, step.at, sum((r.value #>> '{group,trace,count}')::bigint)
    FROM jsonb_array_elements(p_records) WITH ORDINALITY AS r (value, position),
      LATERAL (VALUES (60000, (r.value #>> '{group,minute}')::double precision),
        (3600000, (r.value #>> '{group,hour}')::double precision)) AS step (ms, at)
    WHERE r.value ? 'group' AND p_first + r.position - 1 > v_applied AND step.at IS NOT NULL
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
    ON CONFLICT (group_id, step_ms, at) DO UPDATE SET count = known.count + excluded.count;

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
