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
),
own_sources AS (
  SELECT article_id, factuality_id, item FROM factuality__source_entity_ids GROUP BY article_id, factuality_id, item
),
their_sources AS (
  SELECT article_id, attribution_id, item FROM attributions__source_entity_ids GROUP BY article_id, attribution_id, item
),
expected_sources AS (
  SELECT c.article_id, c.factuality_id, count(*) AS n, count(o.item) AS met
  FROM factuality c
  JOIN their_sources t ON t.article_id = c.article_id AND t.attribution_id = c.attribution_id
  LEFT JOIN own_sources o ON o.article_id = c.article_id AND o.factuality_id = c.factuality_id AND o.item = t.item
  GROUP BY c.article_id, c.factuality_id
),
given_sources AS (
  SELECT article_id, factuality_id, count(*) AS n FROM own_sources GROUP BY article_id, factuality_id
),
spoken AS (
  SELECT article_id, event_id, attribution_id, count(*) AS n FROM factuality GROUP BY article_id, event_id, attribution_id
)
SELECT
  r.article_id,
  r.factuality_id,
  -- factuality-in-content: a source commits itself only to what it says.
  h.held = 1 AS event_in_content,
  -- factuality-sources: who is committed is who the attribution names, neither more nor fewer.
  x.n = x.met AND x.n = coalesce(y.n, 0) AS sources_of_attribution,
  -- factuality-once: an event has one row for the author, and one for each attribution that speaks of it.
  o.n = 1 AS only_one
FROM factuality r
LEFT JOIN held h ON h.article_id = r.article_id AND h.factuality_id = r.factuality_id
LEFT JOIN expected_sources x ON x.article_id = r.article_id AND x.factuality_id = r.factuality_id
LEFT JOIN given_sources y ON y.article_id = r.article_id AND y.factuality_id = r.factuality_id
LEFT JOIN spoken o ON o.article_id = r.article_id
  AND o.event_id = r.event_id
  AND o.attribution_id IS NOT DISTINCT FROM r.attribution_id
