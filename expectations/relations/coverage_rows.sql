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
  WHERE table_name = 'coverage'
  GROUP BY article_id
),
annotated AS (
  SELECT article_id,
    'attributions' AS layer,
    count(*) AS n
  FROM attributions
  GROUP BY article_id
  UNION ALL SELECT article_id, 'claims' AS layer, count(*) AS n
  FROM claims
  GROUP BY article_id
  UNION ALL SELECT article_id, 'entities' AS layer, count(*) AS n
  FROM entities
  GROUP BY article_id
  UNION ALL SELECT article_id, 'events' AS layer, count(*) AS n
  FROM events
  GROUP BY article_id
  UNION ALL SELECT article_id, 'factuality' AS layer, count(*) AS n
  FROM factuality
  GROUP BY article_id
  UNION ALL SELECT article_id, 'mentions' AS layer, count(*) AS n
  FROM mentions
  GROUP BY article_id
  UNION ALL SELECT article_id, 'probes' AS layer, count(*) AS n
  FROM probes
  GROUP BY article_id
  UNION ALL SELECT article_id, 'quantities' AS layer, count(*) AS n
  FROM quantities
  GROUP BY article_id
  UNION ALL SELECT article_id, 'segments' AS layer, count(*) AS n
  FROM segments
  GROUP BY article_id
  UNION ALL SELECT article_id, 'times' AS layer, count(*) AS n
  FROM times
  GROUP BY article_id
),
regions_items AS (
  SELECT i.article_id,
    i.layer,
    count(*) AS n,
    bool_and(coalesce(0 <= i.span_start AND i.span_start < i.span_end AND (a.n_code_points IS NULL OR i.span_end <= a.n_code_points) AND (i.before IS NULL OR i.before <= i.span_start), false)) AS fit,
    bool_and(CASE WHEN t.text IS NOT NULL AND 0 <= i.span_start AND i.span_start < i.span_end THEN coalesce(i.surface = substring(t.text, i.span_start + 1, i.span_end - i.span_start), false) END) AS quoted,
    bool_and(i.surface IS NULL OR coalesce(a.may_show, 0) = 1) AS silent
  FROM (SELECT article_id, layer, span_start, span_end, surface, lag(span_end) OVER (PARTITION BY article_id, layer ORDER BY position) AS before FROM coverage__regions) i
  LEFT JOIN article_of a ON a.article_id = i.article_id
  LEFT JOIN articles t ON t.article_id = i.article_id
  GROUP BY i.article_id, i.layer
)
SELECT
  r.article_id,
  r.layer,
  a.article_id IS NOT NULL AS article_known,
  p.low = a.split AND p.high = a.split AS in_its_split,
  CASE WHEN r.status = 'NONE' THEN n.n IS NULL END AS none_is_none,
  (r.status = 'PARTIAL') = (coalesce(regions_all.n, 0) > 0) AS regions_if_partial,
  regions_all.fit AS regions_fit,
  regions_all.quoted AS regions_surface,
  regions_all.silent AS regions_withheld
FROM coverage r
LEFT JOIN article_of a ON a.article_id = r.article_id
LEFT JOIN files_of p ON p.article_id = r.article_id
LEFT JOIN annotated n ON n.article_id = r.article_id AND n.layer = r.layer
LEFT JOIN regions_items regions_all ON regions_all.article_id = r.article_id AND regions_all.layer = r.layer
