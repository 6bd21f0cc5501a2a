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
  WHERE table_name = 'contrasts'
  GROUP BY article_id
),
spans_all AS (
  SELECT id, min(item_start) AS low, max(item_end) AS high, bool_and(item_start < item_end) AS filled
  FROM contrasts__spans
  GROUP BY id
)
SELECT
  r.id,
  s.story IS NOT NULL AS story_known,
  coalesce(a.story = r.story, false) AS article_known,
  p.low = a.split AND p.high = a.split AS in_its_split,
  coalesce(substr(t.text, r.doc_start + 1, length(r.passage)) = r.passage, false) AS passage_is_of_its_article,
  coalesce(spans_of.low >= 0 AND spans_of.high <= length(r.passage) AND spans_of.filled, spans_of.id IS NULL) AS spans_fit
FROM contrasts r
LEFT JOIN stories s ON s.story = r.story
LEFT JOIN article_of a ON a.article_id = r.article_id
LEFT JOIN files_of p ON p.article_id = r.article_id
LEFT JOIN articles t ON t.article_id = r.article_id
LEFT JOIN spans_all spans_of ON spans_of.id = r.id
