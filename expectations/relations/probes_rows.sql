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
  WHERE table_name = 'probes'
  GROUP BY article_id
),
spans_items AS (
  SELECT i.article_id,
    i.probe_id,
    count(*) AS n,
    bool_and(coalesce(0 <= i.span_start AND i.span_start < i.span_end AND (a.n_code_points IS NULL OR i.span_end <= a.n_code_points) AND (i.before IS NULL OR i.before <= i.span_start), false)) AS fit,
    bool_and(CASE WHEN t.text IS NOT NULL AND 0 <= i.span_start AND i.span_start < i.span_end THEN coalesce(i.surface = substring(t.text, i.span_start + 1, i.span_end - i.span_start), false) END) AS quoted,
    bool_and(i.surface IS NULL OR coalesce(a.may_show, 0) = 1) AS silent
  FROM (SELECT article_id, probe_id, span_start, span_end, surface, lag(span_end) OVER (PARTITION BY article_id, probe_id ORDER BY position) AS before FROM probes__spans) i
  LEFT JOIN article_of a ON a.article_id = i.article_id
  LEFT JOIN articles t ON t.article_id = i.article_id
  GROUP BY i.article_id, i.probe_id
)
SELECT
  r.article_id,
  r.probe_id,
  a.article_id IS NOT NULL AS article_known,
  p.low = a.split AND p.high = a.split AS in_its_split,
  spans_all.fit AS spans_fit,
  spans_all.quoted AS spans_surface,
  spans_all.silent AS spans_withheld,
  coalesce(spans_all.n, 0) >= 1 AS spans_items,
  coalesce(a.may_show, 0) = 1 OR (r.hypothesis IS NULL) AS columns_withheld
FROM probes r
LEFT JOIN article_of a ON a.article_id = r.article_id
LEFT JOIN files_of p ON p.article_id = r.article_id
LEFT JOIN spans_items spans_all ON spans_all.article_id = r.article_id AND spans_all.probe_id = r.probe_id
