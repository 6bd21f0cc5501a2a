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
  WHERE table_name = 'claims'
  GROUP BY article_id
),
known_attributions AS (
  SELECT article_id, attribution_id
  FROM attributions
  GROUP BY article_id, attribution_id
),
known_entities AS (
  SELECT article_id, entity_id
  FROM entities
  GROUP BY article_id, entity_id
),
known_quantities AS (
  SELECT article_id, quantity_id
  FROM quantities
  GROUP BY article_id, quantity_id
),
known_events AS (
  SELECT article_id, event_id
  FROM events
  GROUP BY article_id, event_id
),
known_times AS (
  SELECT article_id, time_id
  FROM times
  GROUP BY article_id, time_id
),
attribution_chain_items AS (
  SELECT i.article_id,
    i.claim_id,
    count(*) AS n,
    bool_and(x.attribution_id IS NOT NULL) AS resolves,
    count(DISTINCT i.item) AS different
  FROM claims__attribution_chain i
  LEFT JOIN known_attributions x ON x.article_id = i.article_id
    AND x.attribution_id = i.item
  GROUP BY i.article_id, i.claim_id
),
source_entity_ids_items AS (
  SELECT i.article_id,
    i.claim_id,
    count(*) AS n,
    bool_and(x.entity_id IS NOT NULL) AS resolves,
    count(DISTINCT i.item) AS different
  FROM claims__source_entity_ids i
  LEFT JOIN known_entities x ON x.article_id = i.article_id
    AND x.entity_id = i.item
  GROUP BY i.article_id, i.claim_id
),
quantity_ids_items AS (
  SELECT i.article_id,
    i.claim_id,
    count(*) AS n,
    bool_and(x.quantity_id IS NOT NULL) AS resolves,
    count(DISTINCT i.item) AS different
  FROM claims__quantity_ids i
  LEFT JOIN known_quantities x ON x.article_id = i.article_id
    AND x.quantity_id = i.item
  GROUP BY i.article_id, i.claim_id
),
event_ids_items AS (
  SELECT i.article_id,
    i.claim_id,
    count(*) AS n,
    bool_and(x.event_id IS NOT NULL) AS resolves,
    count(DISTINCT i.item) AS different
  FROM claims__event_ids i
  LEFT JOIN known_events x ON x.article_id = i.article_id
    AND x.event_id = i.item
  GROUP BY i.article_id, i.claim_id
),
condition_event_ids_items AS (
  SELECT i.article_id,
    i.claim_id,
    count(*) AS n,
    bool_and(x.event_id IS NOT NULL) AS resolves,
    count(DISTINCT i.item) AS different
  FROM claims__condition_event_ids i
  LEFT JOIN known_events x ON x.article_id = i.article_id
    AND x.event_id = i.item
  GROUP BY i.article_id, i.claim_id
)
SELECT
  r.article_id,
  r.claim_id,
  a.article_id IS NOT NULL AS article_known,
  p.low = a.split AND p.high = a.split AS in_its_split,
  CASE WHEN r.attribution_id IS NOT NULL THEN attribution_id_to.attribution_id IS NOT NULL END AS attribution_id_resolves,
  attribution_chain_all.resolves AS attribution_chain_resolves,
  coalesce(attribution_chain_all.different = attribution_chain_all.n, true) AS attribution_chain_items,
  source_entity_ids_all.resolves AS source_entity_ids_resolves,
  coalesce(source_entity_ids_all.different = source_entity_ids_all.n, true) AS source_entity_ids_items,
  quantity_ids_all.resolves AS quantity_ids_resolves,
  coalesce(quantity_ids_all.different = quantity_ids_all.n, true) AS quantity_ids_items,
  event_ids_all.resolves AS event_ids_resolves,
  coalesce(event_ids_all.different = event_ids_all.n, true) AS event_ids_items,
  condition_event_ids_all.resolves AS condition_event_ids_resolves,
  coalesce(condition_event_ids_all.different = condition_event_ids_all.n, true) AS condition_event_ids_items,
  CASE WHEN r.utterance_time_id IS NOT NULL THEN utterance_time_id_to.time_id IS NOT NULL END AS utterance_time_id_resolves,
  CASE WHEN coalesce(r.is_authorial IN (true), false) THEN r.attribution_id IS NULL AND coalesce(attribution_chain_all.n, 0) <= 0 AND coalesce(source_entity_ids_all.n, 0) <= 0 ELSE r.attribution_id IS NOT NULL AND coalesce(attribution_chain_all.n, 0) >= 1 AND coalesce(source_entity_ids_all.n, 0) >= 1 END AS law_claim_authorial,
  CASE WHEN coalesce(r.modality IN ('CONDITIONAL'), false) THEN coalesce(condition_event_ids_all.n, 0) >= 1 ELSE coalesce(condition_event_ids_all.n, 0) <= 0 END AS law_claim_conditional,
  CASE WHEN a.is_open = 1 THEN CASE WHEN coalesce(r.claim_type IN ('QUANTITY'), false) THEN coalesce(quantity_ids_all.n, 0) >= 1 OR r.note IS NOT NULL ELSE true END END AS law_claim_quantity,
  CASE WHEN r.parent_estimand_id IS NOT NULL THEN r.estimand_id IS NOT NULL ELSE true END AS law_claim_estimand,
  CASE WHEN r.utterance_time_id IS NOT NULL THEN r.as_of_basis IS NOT NULL ELSE r.as_of_basis IS NULL END AS law_time_basis,
  coalesce(a.may_show, 0) = 1 OR (r.proposition IS NULL AND r.note IS NULL) AS columns_withheld
FROM claims r
LEFT JOIN article_of a ON a.article_id = r.article_id
LEFT JOIN files_of p ON p.article_id = r.article_id
LEFT JOIN known_attributions attribution_id_to ON attribution_id_to.article_id = r.article_id AND attribution_id_to.attribution_id = r.attribution_id
LEFT JOIN known_times utterance_time_id_to ON utterance_time_id_to.article_id = r.article_id AND utterance_time_id_to.time_id = r.utterance_time_id
LEFT JOIN attribution_chain_items attribution_chain_all ON attribution_chain_all.article_id = r.article_id AND attribution_chain_all.claim_id = r.claim_id
LEFT JOIN source_entity_ids_items source_entity_ids_all ON source_entity_ids_all.article_id = r.article_id AND source_entity_ids_all.claim_id = r.claim_id
LEFT JOIN quantity_ids_items quantity_ids_all ON quantity_ids_all.article_id = r.article_id AND quantity_ids_all.claim_id = r.claim_id
LEFT JOIN event_ids_items event_ids_all ON event_ids_all.article_id = r.article_id AND event_ids_all.claim_id = r.claim_id
LEFT JOIN condition_event_ids_items condition_event_ids_all ON condition_event_ids_all.article_id = r.article_id AND condition_event_ids_all.claim_id = r.claim_id
