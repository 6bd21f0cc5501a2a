-- Facts about mentions.
WITH in_artifact AS (
  SELECT i.article_id, i.mention_id, count(s.article_id) AS n
  FROM mentions__spans i
  JOIN segments__spans s ON s.article_id = i.article_id
    AND s.kind = 'ingest_artifact'
    AND i.span_start < s.span_end
    AND s.span_start < i.span_end
  GROUP BY i.article_id, i.mention_id
),
across AS (
  SELECT i.article_id, i.mention_id, count(s.article_id) AS n
  FROM mentions__spans i
  JOIN segments__spans s ON s.article_id = i.article_id
    AND s.kind IN ('body', 'credit', 'headline', 'dateline')
    AND i.span_start < s.span_end
    AND s.span_start < i.span_end
    AND NOT (s.span_start <= i.span_start AND i.span_end <= s.span_end)
  GROUP BY i.article_id, i.mention_id
),
same AS (
  SELECT article_id, entity_id, spans, count(*) AS n
  FROM mentions
  GROUP BY article_id, entity_id, spans
)
SELECT
  r.article_id,
  r.mention_id,
  -- mentions-unique: counts of mentions would be wrong.
  s.n = 1 AS only_one,
  -- spans-outside-artifacts: an artifact of ingestion (a date line of the crawler) is no part of what the outlet wrote.
  coalesce(i.n, 0) = 0 AS outside_artifacts,
  -- spans-in-paragraph: a span that only partly lies in a paragraph has swallowed its end; most such spans are slips.
  coalesce(p.n, 0) = 0 AS in_paragraph,
  -- mentions-literal: it is for words that name something else ("Moscow" for Russia); a pronoun names nothing.
  CASE WHEN r.literal_kb_id IS NOT NULL
    THEN coalesce(r.literal_kb_id <> e.kb_id, true) AND r.mention_type <> 'PRO' END AS literal_is_another
FROM mentions r
LEFT JOIN same s ON s.article_id = r.article_id AND s.entity_id = r.entity_id AND s.spans IS NOT DISTINCT FROM r.spans
LEFT JOIN in_artifact i ON i.article_id = r.article_id AND i.mention_id = r.mention_id
LEFT JOIN across p ON p.article_id = r.article_id AND p.mention_id = r.mention_id
LEFT JOIN (
  SELECT article_id, entity_id, min(kb_id) AS kb_id FROM entities GROUP BY article_id, entity_id
) e ON e.article_id = r.article_id AND e.entity_id = r.entity_id
