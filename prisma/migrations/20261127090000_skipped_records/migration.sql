-- A spool that was full dropped its oldest records. The agent says how many numbers it skips, so that what it still has is taken: without that,
-- the frame behind the hole would be refused for ever.
DROP FUNCTION apply_records(text, text, bigint, jsonb);

CREATE FUNCTION apply_records(p_node text, p_spool text, p_first bigint, p_records jsonb, p_skipped bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_applied bigint;
  v_last bigint := p_first + jsonb_array_length(p_records) - 1;
  v_entries jsonb;
BEGIN
  INSERT INTO spools (node, spool_id, applied) VALUES (p_node, p_spool, 0) ON CONFLICT DO NOTHING;
  SELECT applied INTO v_applied FROM spools WHERE node = p_node AND spool_id = p_spool FOR UPDATE;
  IF p_first - p_skipped > v_applied + 1 OR v_last <= v_applied THEN
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
