-- Facts about attributions.
WITH pieces AS (
  SELECT article_id, attribution_id, span_start, span_end FROM attributions__source_spans
  UNION ALL
  SELECT article_id, attribution_id, span_start, span_end FROM attributions__cue_spans
  UNION ALL
  SELECT article_id, attribution_id, span_start, span_end FROM attributions__content_spans
),
met AS (
  SELECT i.article_id, i.attribution_id,
    sum(CASE WHEN s.kind = 'credit' THEN 1 ELSE 0 END) AS credits,
    sum(CASE WHEN s.kind = 'ingest_artifact' THEN 1 ELSE 0 END) AS artifacts
  FROM pieces i
  JOIN segments__spans s ON s.article_id = i.article_id
    AND s.kind IN ('credit', 'ingest_artifact')
    AND i.span_start < s.span_end
    AND s.span_start < i.span_end
  GROUP BY i.article_id, i.attribution_id
),
claimed AS (
  SELECT article_id, attribution_id, count(*) AS n
  FROM claims
  WHERE attribution_id IS NOT NULL
  GROUP BY article_id, attribution_id
),
-- what is said to have been said is claimed at the innermost source: a claim there stands for those who relay it
relayed AS (
  SELECT article_id, item AS attribution_id, count(*) AS n
  FROM claims__attribution_chain
  GROUP BY article_id, item
),
cues AS (
  SELECT article_id, attribution_id, sum(length(surface) - length(replace(surface, ' ', '')) + 1) AS n
  FROM attributions__cue_spans
  GROUP BY article_id, attribution_id
)
SELECT
  r.article_id,
  r.attribution_id,
  -- attributions-no-credit: "X reported from Y" names who wrote; nobody is quoted (guideline decision 10).
  coalesce(m.credits, 0) = 0 AS outside_credits,
  -- spans-outside-artifacts: an artifact of ingestion (a date line of the crawler) is no part of what the outlet wrote.
  coalesce(m.artifacts, 0) = 0 AS outside_artifacts,
  -- attributions-claimed: every asserted content has a claim, or a note that says why not. Notes of withheld texts are not known.
  CASE WHEN coalesce(c.n, 0) + coalesce(l.n, 0) > 0 OR r.note IS NOT NULL THEN true WHEN a.open = 1 THEN false END AS claimed,
  -- attributions-long-cue: most such cues have swallowed their content.
  q.n <= 60 AS short_cue
FROM attributions r
LEFT JOIN (
  SELECT article_id, min(CASE WHEN text_redistributable THEN 1 ELSE 0 END) AS open FROM articles GROUP BY article_id
) a ON a.article_id = r.article_id
LEFT JOIN met m ON m.article_id = r.article_id AND m.attribution_id = r.attribution_id
LEFT JOIN claimed c ON c.article_id = r.article_id AND c.attribution_id = r.attribution_id
LEFT JOIN relayed l ON l.article_id = r.article_id AND l.attribution_id = r.attribution_id
LEFT JOIN cues q ON q.article_id = r.article_id AND q.attribution_id = r.attribution_id
