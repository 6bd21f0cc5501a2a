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
  WHERE table_name = 'entities'
  GROUP BY article_id
),
known_entities AS (
  SELECT article_id, entity_id
  FROM entities
  GROUP BY article_id, entity_id
),
member_entity_ids_items AS (
  SELECT i.article_id,
    i.entity_id,
    count(*) AS n,
    bool_and(x.entity_id IS NOT NULL) AS resolves,
    count(DISTINCT i.item) AS different
  FROM entities__member_entity_ids i
  LEFT JOIN known_entities x ON x.article_id = i.article_id
    AND x.entity_id = i.item
  GROUP BY i.article_id, i.entity_id
)
SELECT
  r.article_id,
  r.entity_id,
  a.article_id IS NOT NULL AS article_known,
  p.low = a.split AND p.high = a.split AS in_its_split,
  CASE WHEN r.part_of_entity_id IS NOT NULL THEN part_of_entity_id_to.entity_id IS NOT NULL END AS part_of_entity_id_resolves,
  member_entity_ids_all.resolves AS member_entity_ids_resolves,
  coalesce(member_entity_ids_all.different = member_entity_ids_all.n, true) AS member_entity_ids_items,
  CASE WHEN r.affiliation_entity_id IS NOT NULL THEN affiliation_entity_id_to.entity_id IS NOT NULL END AS affiliation_entity_id_resolves,
  CASE WHEN coalesce(r.kb_status IN ('verified', 'unverified'), false) THEN r.kb IS NOT NULL AND r.kb_id IS NOT NULL ELSE r.kb IS NULL AND r.kb_id IS NULL END AS law_entity_kb,
  coalesce(a.may_show, 0) = 1 OR (r.note IS NULL) AS columns_withheld
FROM entities r
LEFT JOIN article_of a ON a.article_id = r.article_id
LEFT JOIN files_of p ON p.article_id = r.article_id
LEFT JOIN known_entities part_of_entity_id_to ON part_of_entity_id_to.article_id = r.article_id AND part_of_entity_id_to.entity_id = r.part_of_entity_id
LEFT JOIN known_entities affiliation_entity_id_to ON affiliation_entity_id_to.article_id = r.article_id AND affiliation_entity_id_to.entity_id = r.affiliation_entity_id
LEFT JOIN member_entity_ids_items member_entity_ids_all ON member_entity_ids_all.article_id = r.article_id AND member_entity_ids_all.entity_id = r.entity_id
