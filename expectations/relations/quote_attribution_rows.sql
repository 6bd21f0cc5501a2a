-- Derived from schemas/ by `dateline suites`; write relations of your own under another name.
WITH stories AS (
  SELECT a.group AS story
  FROM articles a
  GROUP BY a.group
),
article_of AS (
  SELECT a.article_id, min(a.split) AS split, min(a.group) AS story
  FROM articles a
  GROUP BY a.article_id
),
files_of AS (
  SELECT article_id, min(split) AS low, max(split) AS high
  FROM placed
  WHERE table_name = 'quote_attribution'
  GROUP BY article_id
),
source_spans_all AS (
  SELECT id, min(item_start) AS low, max(item_end) AS high, bool_and(item_start < item_end) AS filled
  FROM quote_attribution__source_spans
  GROUP BY id
),
cue_spans_all AS (
  SELECT id, min(item_start) AS low, max(item_end) AS high, bool_and(item_start < item_end) AS filled
  FROM quote_attribution__cue_spans
  GROUP BY id
),
content_spans_all AS (
  SELECT id, min(item_start) AS low, max(item_end) AS high, bool_and(item_start < item_end) AS filled
  FROM quote_attribution__content_spans
  GROUP BY id
)
SELECT
  r.id,
  s.story IS NOT NULL AS story_known,
  coalesce(a.story = r.story, false) AS article_known,
  p.low = a.split AND p.high = a.split AS in_its_split,
  coalesce(substr(t.text, r.doc_start + 1, length(r.passage)) = r.passage, false) AS passage_is_of_its_article,
  coalesce(source_spans_of.low >= 0 AND source_spans_of.high <= length(r.passage) AND source_spans_of.filled, source_spans_of.id IS NULL) AS source_spans_fit,
  coalesce(cue_spans_of.low >= 0 AND cue_spans_of.high <= length(r.passage) AND cue_spans_of.filled, cue_spans_of.id IS NULL) AS cue_spans_fit,
  coalesce(content_spans_of.low >= 0 AND content_spans_of.high <= length(r.passage) AND content_spans_of.filled, content_spans_of.id IS NULL) AS content_spans_fit
FROM quote_attribution r
LEFT JOIN stories s ON s.story = r.story
LEFT JOIN article_of a ON a.article_id = r.article_id
LEFT JOIN files_of p ON p.article_id = r.article_id
LEFT JOIN articles t ON t.article_id = r.article_id
LEFT JOIN source_spans_all source_spans_of ON source_spans_of.id = r.id
LEFT JOIN cue_spans_all cue_spans_of ON cue_spans_of.id = r.id
LEFT JOIN content_spans_all content_spans_of ON content_spans_of.id = r.id
