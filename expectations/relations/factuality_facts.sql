-- Facts about factuality.
WITH pieces AS (
  SELECT f.article_id, f.factuality_id, t.position,
    max(CASE WHEN s.span_start <= t.span_start AND t.span_end <= s.span_end THEN 1 ELSE 0 END) AS held
  FROM factuality f
  JOIN events__trigger_spans t ON t.article_id = f.article_id AND t.event_id = f.event_id
  LEFT JOIN attributions__content_spans s ON s.article_id = f.article_id AND s.attribution_id = f.attribution_id
  WHERE f.attribution_id IS NOT NULL
  GROUP BY f.article_id, f.factuality_id, t.position
),
held AS (
  SELECT article_id, factuality_id, min(held) AS held FROM pieces GROUP BY article_id, factuality_id
)
SELECT
  r.article_id,
  r.factuality_id,
  -- factuality-in-content: a source commits itself only to what it says.
  h.held = 1 AS event_in_content
FROM factuality r
LEFT JOIN held h ON h.article_id = r.article_id AND h.factuality_id = r.factuality_id
