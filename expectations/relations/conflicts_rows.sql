-- Derived from schemas/ by `dateline suites`; write relations of your own under another name.
WITH stories AS (
  SELECT a.group AS story
  FROM articles a
  GROUP BY a.group
),
quantity_spans_a_all AS (
  SELECT id, min(item_start) AS low, max(item_end) AS high, bool_and(item_start < item_end) AS filled
  FROM conflicts__quantity_spans_a
  GROUP BY id
),
quantity_spans_b_all AS (
  SELECT id, min(item_start) AS low, max(item_end) AS high, bool_and(item_start < item_end) AS filled
  FROM conflicts__quantity_spans_b
  GROUP BY id
)
SELECT
  r.id,
  s.story IS NOT NULL AS story_known,
  coalesce(substr(t_a.text, r.doc_start_a + 1, length(r.passage_a)) = r.passage_a, false) AS passage_a_is_of_its_article,
  coalesce(quantity_spans_a_of.low >= 0 AND quantity_spans_a_of.high <= length(r.passage_a) AND quantity_spans_a_of.filled, quantity_spans_a_of.id IS NULL) AS quantity_spans_a_fit,
  coalesce(substr(t_b.text, r.doc_start_b + 1, length(r.passage_b)) = r.passage_b, false) AS passage_b_is_of_its_article,
  coalesce(quantity_spans_b_of.low >= 0 AND quantity_spans_b_of.high <= length(r.passage_b) AND quantity_spans_b_of.filled, quantity_spans_b_of.id IS NULL) AS quantity_spans_b_fit
FROM conflicts r
LEFT JOIN stories s ON s.story = r.story
LEFT JOIN articles t_a ON t_a.article_id = r.article_id_a
LEFT JOIN quantity_spans_a_all quantity_spans_a_of ON quantity_spans_a_of.id = r.id
LEFT JOIN articles t_b ON t_b.article_id = r.article_id_b
LEFT JOIN quantity_spans_b_all quantity_spans_b_of ON quantity_spans_b_of.id = r.id
