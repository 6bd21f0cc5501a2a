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
  WHERE table_name = 'factuality'
  GROUP BY article_id
),
known_events AS (
  SELECT article_id, event_id
  FROM events
  GROUP BY article_id, event_id
),
known_entities AS (
  SELECT article_id, entity_id
  FROM entities
  GROUP BY article_id, entity_id
),
known_attributions AS (
  SELECT article_id, attribution_id
  FROM attributions
  GROUP BY article_id, attribution_id
),
source_entity_ids_items AS (
  SELECT i.article_id,
    i.factuality_id,
    count(*) AS n,
    bool_and(x.entity_id IS NOT NULL) AS resolves,
    count(DISTINCT i.item) AS different
  FROM factuality__source_entity_ids i
  LEFT JOIN known_entities x ON x.article_id = i.article_id
    AND x.entity_id = i.item
  GROUP BY i.article_id, i.factuality_id
)
SELECT
  r.article_id,
  r.factuality_id,
  a.article_id IS NOT NULL AS article_known,
  p.low = a.split AND p.high = a.split AS in_its_split,
  CASE WHEN r.event_id IS NOT NULL THEN event_id_to.event_id IS NOT NULL END AS event_id_resolves,
  source_entity_ids_all.resolves AS source_entity_ids_resolves,
  coalesce(source_entity_ids_all.different = source_entity_ids_all.n, true) AS source_entity_ids_items,
  CASE WHEN r.attribution_id IS NOT NULL THEN attribution_id_to.attribution_id IS NOT NULL END AS attribution_id_resolves,
  r.value IS NOT DISTINCT FROM CASE r.certainty || ' ' || r.polarity WHEN 'CT POS' THEN 'CT+' WHEN 'PR POS' THEN 'PR+' WHEN 'PS POS' THEN 'PS+' WHEN 'U UNK' THEN 'Uu' WHEN 'CT UNK' THEN 'CTu' WHEN 'PS NEG' THEN 'PS-' WHEN 'PR NEG' THEN 'PR-' WHEN 'CT NEG' THEN 'CT-' END AS value_derived,
  CASE WHEN coalesce(r.source_is_author IN (true), false) THEN coalesce(source_entity_ids_all.n, 0) <= 0 AND r.attribution_id IS NULL ELSE coalesce(source_entity_ids_all.n, 0) >= 1 AND r.attribution_id IS NOT NULL END AS law_factuality_author,
  CASE WHEN coalesce(r.certainty IN ('U'), false) THEN coalesce(r.polarity IN ('UNK'), false) ELSE coalesce(r.polarity IN ('POS', 'NEG'), false) END AS law_factuality_uncommitted,
  coalesce(a.may_show, 0) = 1 OR (r.note IS NULL) AS columns_withheld
FROM factuality r
LEFT JOIN article_of a ON a.article_id = r.article_id
LEFT JOIN files_of p ON p.article_id = r.article_id
LEFT JOIN known_events event_id_to ON event_id_to.article_id = r.article_id AND event_id_to.event_id = r.event_id
LEFT JOIN known_attributions attribution_id_to ON attribution_id_to.article_id = r.article_id AND attribution_id_to.attribution_id = r.attribution_id
LEFT JOIN source_entity_ids_items source_entity_ids_all ON source_entity_ids_all.article_id = r.article_id AND source_entity_ids_all.factuality_id = r.factuality_id
