-- Derived from schemas/ by `dateline suites`; write relations of your own under another name.
WITH article_of AS (
  SELECT a.article_id,
    min(a.split) AS split,
    min(a.text_n_code_points) AS n_code_points,
    min(CASE WHEN a.text_redistributable THEN 1 ELSE 0 END) AS is_open,
    min(CASE WHEN a.text_redistributable OR h.hydrated THEN 1 ELSE 0 END) AS may_show
  FROM articles a
  CROSS JOIN release_facts h
  GROUP BY a.article_id
),
files_of AS (
  SELECT article_id, min(split) AS low, max(split) AS high
  FROM placed
  WHERE table_name = 'events'
  GROUP BY article_id
),
known_entities AS (
  SELECT article_id, entity_id, min(type) AS type
  FROM entities
  GROUP BY article_id, entity_id
),
known_times AS (
  SELECT article_id, time_id
  FROM times
  GROUP BY article_id, time_id
),
trigger_spans_items AS (
  SELECT i.article_id,
    i.event_id,
    count(*) AS n,
    bool_and(coalesce(0 <= i.span_start AND i.span_start < i.span_end AND (a.n_code_points IS NULL OR i.span_end <= a.n_code_points) AND (i.before IS NULL OR i.before <= i.span_start), false)) AS fit,
    bool_and(CASE WHEN t.text IS NOT NULL AND 0 <= i.span_start AND i.span_start < i.span_end THEN coalesce(i.surface = substring(t.text, i.span_start + 1, i.span_end - i.span_start), false) END) AS quoted,
    bool_and(i.surface IS NULL OR coalesce(a.may_show, 0) = 1) AS silent
  FROM (SELECT article_id, event_id, span_start, span_end, surface, lag(span_end) OVER (PARTITION BY article_id, event_id ORDER BY position) AS before FROM events__trigger_spans) i
  LEFT JOIN article_of a ON a.article_id = i.article_id
  LEFT JOIN articles t ON t.article_id = i.article_id
  GROUP BY i.article_id, i.event_id
),
contexts_items AS (
  SELECT i.article_id, i.event_id, count(*) AS n, bool_and(i.item IS NOT NULL) AS present
  FROM events__contexts i
  GROUP BY i.article_id, i.event_id
),
actor_entity_ids_items AS (
  SELECT i.article_id,
    i.event_id,
    count(*) AS n,
    bool_and(x.entity_id IS NOT NULL) AS resolves,
    count(DISTINCT i.item) AS different
  FROM events__actor_entity_ids i
  LEFT JOIN known_entities x ON x.article_id = i.article_id
    AND x.entity_id = i.item
  GROUP BY i.article_id, i.event_id
),
recipient_entity_ids_items AS (
  SELECT i.article_id,
    i.event_id,
    count(*) AS n,
    bool_and(x.entity_id IS NOT NULL) AS resolves,
    count(DISTINCT i.item) AS different
  FROM events__recipient_entity_ids i
  LEFT JOIN known_entities x ON x.article_id = i.article_id
    AND x.entity_id = i.item
  GROUP BY i.article_id, i.event_id
),
auxiliary_items AS (
  SELECT i.article_id,
    i.event_id,
    count(*) AS n,
    count(DISTINCT i.item) AS different,
    bool_and(coalesce(i.item IN ('historical', 'future', 'hypothetical', 'negation'), false)) AS labelled
  FROM events__auxiliary i
  GROUP BY i.article_id, i.event_id
)
SELECT
  r.article_id,
  r.event_id,
  a.article_id IS NOT NULL AS article_known,
  p.low = a.split AND p.high = a.split AS in_its_split,
  trigger_spans_all.fit AS trigger_spans_fit,
  trigger_spans_all.quoted AS trigger_spans_surface,
  trigger_spans_all.silent AS trigger_spans_withheld,
  coalesce(trigger_spans_all.n, 0) >= 1 AS trigger_spans_items,
  r.quad_class IS NOT DISTINCT FROM CASE r.event_type WHEN 'AGREE' THEN 'VERBAL_COOPERATION' WHEN 'CONSULT' THEN 'VERBAL_COOPERATION' WHEN 'SUPPORT' THEN 'VERBAL_COOPERATION' WHEN 'CONCEDE' THEN 'VERBAL_COOPERATION' WHEN 'COOPERATE' THEN 'MATERIAL_COOPERATION' WHEN 'AID' THEN 'MATERIAL_COOPERATION' WHEN 'RETREAT' THEN 'MATERIAL_COOPERATION' WHEN 'REQUEST' THEN 'VERBAL_CONFLICT' WHEN 'ACCUSE' THEN 'VERBAL_CONFLICT' WHEN 'REJECT' THEN 'VERBAL_CONFLICT' WHEN 'THREATEN' THEN 'VERBAL_CONFLICT' WHEN 'PROTEST' THEN 'MATERIAL_CONFLICT' WHEN 'SANCTION' THEN 'MATERIAL_CONFLICT' WHEN 'MOBILIZE' THEN 'MATERIAL_CONFLICT' WHEN 'COERCE' THEN 'MATERIAL_CONFLICT' WHEN 'ASSAULT' THEN 'MATERIAL_CONFLICT' END AS quad_class_derived,
  contexts_all.present AS contexts_present,
  actor_entity_ids_all.resolves AS actor_entity_ids_resolves,
  coalesce(actor_entity_ids_all.different = actor_entity_ids_all.n, true) AS actor_entity_ids_items,
  recipient_entity_ids_all.resolves AS recipient_entity_ids_resolves,
  coalesce(recipient_entity_ids_all.different = recipient_entity_ids_all.n, true) AS recipient_entity_ids_items,
  CASE WHEN r.place_entity_id IS NOT NULL THEN place_entity_id_to.entity_id IS NOT NULL END AS place_entity_id_resolves,
  CASE WHEN place_entity_id_to.entity_id IS NOT NULL THEN coalesce(place_entity_id_to.type IN ('GPE', 'LOC', 'FAC'), false) END AS place_entity_id_target,
  CASE WHEN r.time_id IS NOT NULL THEN time_id_to.time_id IS NOT NULL END AS time_id_resolves,
  coalesce(auxiliary_all.different = auxiliary_all.n, true) AS auxiliary_items,
  auxiliary_all.labelled AS auxiliary_labels,
  CASE WHEN coalesce(r.event_scheme IN ('PLOVER'), false) THEN coalesce(r.event_type IN ('AGREE', 'CONSULT', 'SUPPORT', 'CONCEDE', 'COOPERATE', 'AID', 'RETREAT', 'REQUEST', 'ACCUSE', 'REJECT', 'THREATEN', 'PROTEST', 'SANCTION', 'MOBILIZE', 'COERCE', 'ASSAULT'), false) ELSE coalesce(r.event_type IN ('PRESENCE', 'CASUALTY', 'STATEMENT', 'OTHER'), false) END AS law_event_scheme,
  CASE WHEN coalesce(r.event_type IN ('AID', 'SANCTION', 'COOPERATE'), false) THEN coalesce(recipient_entity_ids_all.n, 0) >= 1 OR coalesce(actor_entity_ids_all.n, 0) >= 2 ELSE true END AS law_event_parties,
  CASE WHEN r.time_id IS NOT NULL THEN r.as_of_basis IS NOT NULL ELSE r.as_of_basis IS NULL END AS law_time_basis,
  coalesce(a.may_show, 0) = 1 OR (r.note IS NULL) AS columns_withheld
FROM events r
LEFT JOIN article_of a ON a.article_id = r.article_id
LEFT JOIN files_of p ON p.article_id = r.article_id
LEFT JOIN known_entities place_entity_id_to ON place_entity_id_to.article_id = r.article_id AND place_entity_id_to.entity_id = r.place_entity_id
LEFT JOIN known_times time_id_to ON time_id_to.article_id = r.article_id AND time_id_to.time_id = r.time_id
LEFT JOIN trigger_spans_items trigger_spans_all ON trigger_spans_all.article_id = r.article_id AND trigger_spans_all.event_id = r.event_id
LEFT JOIN contexts_items contexts_all ON contexts_all.article_id = r.article_id AND contexts_all.event_id = r.event_id
LEFT JOIN actor_entity_ids_items actor_entity_ids_all ON actor_entity_ids_all.article_id = r.article_id AND actor_entity_ids_all.event_id = r.event_id
LEFT JOIN recipient_entity_ids_items recipient_entity_ids_all ON recipient_entity_ids_all.article_id = r.article_id AND recipient_entity_ids_all.event_id = r.event_id
LEFT JOIN auxiliary_items auxiliary_all ON auxiliary_all.article_id = r.article_id AND auxiliary_all.event_id = r.event_id
