-- Derived from schemas/ by `dateline suites`; write relations of your own under another name.
WITH known AS (
  SELECT e.estimate_id, min(e.story) AS story
  FROM estimates e
  GROUP BY e.estimate_id
)
SELECT
  r.judgement_id,
  a.estimate_id IS NOT NULL AS estimate_a_resolves,
  b.estimate_id IS NOT NULL AS estimate_b_resolves,
  CASE WHEN r.estimate_a <> r.estimate_b THEN a.story = b.story ELSE false END AS is_of_one_story
FROM judgements r
LEFT JOIN known a ON a.estimate_id = r.estimate_a
LEFT JOIN known b ON b.estimate_id = r.estimate_b
