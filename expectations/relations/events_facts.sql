-- Facts about events, and about the rows of factuality that each has.
WITH in_artifact AS (
  SELECT i.article_id, i.event_id, count(s.article_id) AS n
  FROM events__trigger_spans i
  JOIN segments__spans s ON s.article_id = i.article_id
    AND s.kind = 'ingest_artifact'
    AND i.span_start < s.span_end
    AND s.span_start < i.span_end
  GROUP BY i.article_id, i.event_id
),
across AS (
  SELECT i.article_id, i.event_id, count(s.article_id) AS n
  FROM events__trigger_spans i
  JOIN segments__spans s ON s.article_id = i.article_id
    AND s.kind IN ('body', 'credit', 'headline', 'dateline')
    AND i.span_start < s.span_end
    AND s.span_start < i.span_end
    AND NOT (s.span_start <= i.span_start AND i.span_end <= s.span_end)
  GROUP BY i.article_id, i.event_id
),
in_credit AS (
  SELECT i.article_id, i.event_id, count(s.article_id) AS n
  FROM events__trigger_spans i
  JOIN segments__spans s ON s.article_id = i.article_id
    AND s.kind = 'credit'
    AND i.span_start < s.span_end
    AND s.span_start < i.span_end
  GROUP BY i.article_id, i.event_id
),
marks AS (
  SELECT article_id, event_id,
    max(CASE WHEN item = 'negation' THEN 1 ELSE 0 END) AS negation,
    max(CASE WHEN item = 'hypothetical' THEN 1 ELSE 0 END) AS hypothetical
  FROM events__auxiliary
  GROUP BY article_id, event_id
),
committed AS (
  SELECT article_id, event_id,
    sum(CASE WHEN source_is_author THEN 1 ELSE 0 END) AS authors,
    max(CASE WHEN source_is_author AND certainty = 'CT' THEN 1 ELSE 0 END) AS author_certain,
    max(CASE WHEN polarity = 'NEG' THEN 1 ELSE 0 END) AS negative
  FROM factuality
  GROUP BY article_id, event_id
),
stories AS (
  SELECT article_id, min(a.group) AS story FROM articles a GROUP BY article_id
),
in_story AS (
  SELECT s.story, e.event_cluster_id, min(e.event_type) AS low, max(e.event_type) AS high,
    min(coalesce(e.parent_cluster_id, '')) AS parent_low, max(coalesce(e.parent_cluster_id, '')) AS parent_high
  FROM events e
  JOIN stories s ON s.article_id = e.article_id
  GROUP BY s.story, e.event_cluster_id
),
named_contexts AS (
  SELECT article_id, event_id, count(*) AS n,
    count(DISTINCT CASE WHEN item = lower(item) AND item = trim(item) AND item <> '' THEN item END) AS different
  FROM events__contexts
  GROUP BY article_id, event_id
)
SELECT
  r.article_id,
  r.event_id,
  -- events-one-author-row: the author's commitment is a fact about every event.
  coalesce(f.authors, 0) = 1 AS one_author_row,
  -- events-negation: two ways of saying one thing must agree.
  (coalesce(k.negation, 0) = 1) = (coalesce(f.negative, 0) = 1) AS negation_agrees,
  -- events-hypothetical: who is certain of it does not suppose it (guideline decision 9).
  CASE WHEN k.hypothetical = 1 THEN coalesce(f.author_certain, 0) = 0 END AS author_supposes,
  -- events-one-type-per-cluster: a cluster is one event.
  g.low = g.high AS one_type_in_cluster,
  -- events-no-credit: a credit line reports on nothing (guideline decision 10).
  coalesce(n.n, 0) = 0 AS outside_credits,
  -- spans-outside-artifacts: an artifact of ingestion (a date line of the crawler) is no part of what the outlet wrote.
  coalesce(i.n, 0) = 0 AS outside_artifacts,
  -- spans-in-paragraph: a span that only partly lies in a paragraph has swallowed its end; most such spans are slips.
  coalesce(p.n, 0) = 0 AS in_paragraph,
  -- events-one-parent: a cluster is a part of one other in its story, or of none, whoever speaks of it. The whole may go unmentioned.
  g.parent_low = g.parent_high
    AND coalesce(r.parent_cluster_id <> r.event_cluster_id, true)
    AND coalesce(h.parent_high <> r.event_cluster_id, true) AS cluster_has_one_parent,
  -- events-contexts: PLOVER's contexts are counted by name, in lower case.
  x.n = x.different AS contexts_named_once,
  -- events-mode: modes are PLOVER's; the corpus's own types have none.
  CASE WHEN r.event_mode IS NOT NULL THEN r.event_scheme = 'PLOVER' END AS mode_of_plover
FROM events r
LEFT JOIN marks k ON k.article_id = r.article_id AND k.event_id = r.event_id
LEFT JOIN committed f ON f.article_id = r.article_id AND f.event_id = r.event_id
LEFT JOIN in_credit n ON n.article_id = r.article_id AND n.event_id = r.event_id
LEFT JOIN in_artifact i ON i.article_id = r.article_id AND i.event_id = r.event_id
LEFT JOIN across p ON p.article_id = r.article_id AND p.event_id = r.event_id
LEFT JOIN stories s ON s.article_id = r.article_id
LEFT JOIN in_story g ON g.story = s.story AND g.event_cluster_id = r.event_cluster_id
LEFT JOIN in_story h ON h.story = s.story AND h.event_cluster_id = r.parent_cluster_id
LEFT JOIN named_contexts x ON x.article_id = r.article_id AND x.event_id = r.event_id
