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
  WHERE table_name = 'estimates'
  GROUP BY article_id
),
stated AS (
  SELECT q.article_id,
    q.quantity_id,
    q.value,
    q.low,
    q.high,
    q.low_closed,
    q.high_closed,
    q.comparator,
    q.hedge_type,
    q.unit,
    q.measure,
    q.change
  FROM quantities q
),
claimed AS (
  SELECT c.article_id, c.claim_id, c.estimand_id, c.certainty, c.polarity, c.modality, c.is_authorial
  FROM claims c
)
SELECT
  r.estimate_id,
  s.story IS NOT NULL AS story_known,
  coalesce(a.story = r.story, false) AS article_known,
  p.low = a.split AND p.high = a.split AS in_its_split,
  q.quantity_id IS NOT NULL AND r.value IS NOT DISTINCT FROM q.value AND r.low IS NOT DISTINCT FROM q.low AND r.high IS NOT DISTINCT FROM q.high AND r.low_closed IS NOT DISTINCT FROM q.low_closed AND r.high_closed IS NOT DISTINCT FROM q.high_closed AND r.comparator IS NOT DISTINCT FROM q.comparator AND r.hedge_type IS NOT DISTINCT FROM q.hedge_type AND r.unit IS NOT DISTINCT FROM q.unit AND r.measure IS NOT DISTINCT FROM q.measure AND r.change IS NOT DISTINCT FROM q.change AS says_what_its_quantity_says,
  coalesce(r.estimand_id = concat(r.story, '/', c.estimand_id) AND r.certainty = c.certainty AND r.polarity = c.polarity AND r.modality = c.modality AND r.is_authorial = c.is_authorial AND r.is_denial = (c.polarity = 'NEG'), false) AS says_what_its_claim_says,
  coalesce(r.effective_comparator = r.comparator OR (r.comparator = 'BARE' AND r.effective_comparator IS NOT NULL), false) AS only_bare_numbers_take_over_a_hedge,
  coalesce(r.comparable_value IS NULL OR r.rate IS NOT NULL OR r.comparable_value = r.value, false) AS is_compared_by_its_value
FROM estimates r
LEFT JOIN stories s ON s.story = r.story
LEFT JOIN article_of a ON a.article_id = r.article_id
LEFT JOIN files_of p ON p.article_id = r.article_id
LEFT JOIN stated q ON q.article_id = r.article_id AND q.quantity_id = r.quantity_id
LEFT JOIN claimed c ON c.article_id = r.article_id AND c.claim_id = r.claim_id
