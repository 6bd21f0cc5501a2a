-- Facts about segments.
SELECT
  r.article_id,
  r.segment_id,
  -- segments-sentences-apart: a character belongs to one sentence. Of two that overlap the later one is told.
  s.apart = 1 AS sentence_apart,
  -- segments-parent: sentences stand in paragraphs (or credits), and nothing stands in a sentence, or in itself.
  CASE WHEN r.kind = 'sentence' THEN coalesce(p.kind <> 'sentence', false)
    ELSE coalesce(p.kind <> 'sentence', true) AND coalesce(r.parent_id <> r.segment_id, true) END AS in_a_paragraph,
  -- segments-paragraphs-apart: a character belongs to one paragraph. Datelines, credits and artifacts may lie in one.
  q.apart = 1 AS paragraph_apart
FROM segments r
LEFT JOIN (
  SELECT article_id, segment_id, min(CASE WHEN reached IS NULL OR reached <= span_start THEN 1 ELSE 0 END) AS apart
  FROM (
    SELECT article_id, segment_id, span_start, max(span_end) OVER (
      PARTITION BY article_id ORDER BY span_start, segment_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS reached
    FROM segments__spans
    WHERE kind = 'sentence'
  ) ordered
  GROUP BY article_id, segment_id
) s ON s.article_id = r.article_id AND s.segment_id = r.segment_id
LEFT JOIN (
  SELECT article_id, segment_id, min(kind) AS kind FROM segments GROUP BY article_id, segment_id
) p ON p.article_id = r.article_id AND p.segment_id = r.parent_id
LEFT JOIN (
  SELECT article_id, segment_id, min(CASE WHEN reached IS NULL OR reached <= span_start THEN 1 ELSE 0 END) AS apart
  FROM (
    SELECT article_id, segment_id, span_start, max(span_end) OVER (
      PARTITION BY article_id ORDER BY span_start, segment_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS reached
    FROM segments__spans
    WHERE kind IN ('body', 'headline')
  ) ordered
  GROUP BY article_id, segment_id
) q ON q.article_id = r.article_id AND q.segment_id = r.segment_id
