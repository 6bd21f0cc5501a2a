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
  WHERE table_name = 'times'
  GROUP BY article_id
),
known_times AS (
  SELECT article_id, time_id
  FROM times
  GROUP BY article_id, time_id
),
spans_items AS (
  SELECT i.article_id,
    i.time_id,
    count(*) AS n,
    bool_and(coalesce(0 <= i.span_start AND i.span_start < i.span_end AND (a.n_code_points IS NULL OR i.span_end <= a.n_code_points) AND (i.before IS NULL OR i.before <= i.span_start), false)) AS fit,
    bool_and(CASE WHEN t.text IS NOT NULL AND 0 <= i.span_start AND i.span_start < i.span_end THEN coalesce(i.surface = substring(t.text, i.span_start + 1, i.span_end - i.span_start), false) END) AS quoted,
    bool_and(i.surface IS NULL OR coalesce(a.may_show, 0) = 1) AS silent
  FROM (SELECT article_id, time_id, span_start, span_end, surface, lag(span_end) OVER (PARTITION BY article_id, time_id ORDER BY position) AS before FROM times__spans) i
  LEFT JOIN article_of a ON a.article_id = i.article_id
  LEFT JOIN articles t ON t.article_id = i.article_id
  GROUP BY i.article_id, i.time_id
)
SELECT
  r.article_id,
  r.time_id,
  a.article_id IS NOT NULL AS article_known,
  p.low = a.split AND p.high = a.split AS in_its_split,
  spans_all.fit AS spans_fit,
  spans_all.quoted AS spans_surface,
  spans_all.silent AS spans_withheld,
  CASE WHEN r.anchor_time_id IS NOT NULL THEN anchor_time_id_to.time_id IS NOT NULL END AS anchor_time_id_resolves,
  r.earliest IS NULL OR r.latest IS NULL OR r.earliest <= r.latest AS earliest_latest_ascending,
  CASE WHEN coalesce(r.temporal_function IN (true), false) THEN r.anchor_time_id IS NOT NULL ELSE true END AS law_time_anchor,
  CASE WHEN NOT (coalesce(r.function_in_document IN ('CREATION_TIME'), false)) THEN coalesce(spans_all.n, 0) >= 1 ELSE true END AS law_time_spans
FROM times r
LEFT JOIN article_of a ON a.article_id = r.article_id
LEFT JOIN files_of p ON p.article_id = r.article_id
LEFT JOIN known_times anchor_time_id_to ON anchor_time_id_to.article_id = r.article_id AND anchor_time_id_to.time_id = r.anchor_time_id
LEFT JOIN spans_items spans_all ON spans_all.article_id = r.article_id AND spans_all.time_id = r.time_id
