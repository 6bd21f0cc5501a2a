-- Derived from schemas/ by `dateline suites`; write relations of your own under another name.
WITH stories AS (
  SELECT a.group AS story
  FROM articles a
  GROUP BY a.group
),
member AS (
  SELECT e.estimate_id,
    e.story,
    e.article_id,
    e.estimand_id,
    e.left_out,
    e.is_denial,
    e.effective_comparator AS said,
    e.effective_hedge_type AS hedge,
    CAST(e.comparable_value AS DOUBLE) AS v,
    CAST(e.comparable_low AS DOUBLE) AS lo,
    CAST(e.comparable_high AS DOUBLE) AS hi,
    e.low_closed,
    e.high_closed,
    CASE WHEN e.change LIKE '%_BY' THEN e.change ELSE 'LEVEL' END AS kind,
    coalesce(q.quantity_kind = 'COUNT', false) AND e.rate IS NULL AS whole,
    coalesce(CAST(q.rounding_unit AS DOUBLE) * coalesce(CAST(e.rate AS DOUBLE), 1), 0) AS step
  FROM estimates e
  LEFT JOIN quantities q ON q.article_id = e.article_id
    AND q.quantity_id = e.quantity_id
),
ends AS (
  SELECT m.estimate_id,
    CASE WHEN m.said = 'RANGE' THEN m.lo WHEN m.said IN ('LT', 'LE') THEN -1e300 WHEN m.said = 'APPROX' AND coalesce(m.hedge, '') <> 'ABOVE' THEN m.v - abs(m.v) * g.t WHEN m.said = 'BARE' THEN m.v - m.step / 2 ELSE m.v END AS low,
    m.said = 'GT' OR (m.said = 'APPROX' AND coalesce(m.hedge, '') = 'ABOVE') OR (m.said = 'RANGE' AND NOT coalesce(m.low_closed, true)) AS low_open,
    CASE WHEN m.said = 'RANGE' THEN m.hi WHEN m.said IN ('GT', 'GE') THEN 1e300 WHEN m.said = 'APPROX' AND coalesce(m.hedge, '') <> 'BELOW' THEN m.v + abs(m.v) * g.t WHEN m.said = 'BARE' THEN m.v + m.step / 2 ELSE m.v END AS high,
    m.said = 'LT' OR (m.said = 'APPROX' AND coalesce(m.hedge, '') = 'BELOW') OR (m.said = 'RANGE' AND NOT coalesce(m.high_closed, true)) AS high_open,
    m.whole
  FROM member m
  CROSS JOIN (SELECT max(interval_tolerance) AS t FROM estimate_pairs) g
),
bounds AS (
  SELECT estimate_id,
    CASE WHEN whole AND low_open THEN floor(low) + 1 ELSE low END AS low,
    low_open AND NOT whole AS low_open,
    CASE WHEN whole AND high_open THEN ceil(high) - 1 ELSE high END AS high,
    high_open AND NOT whole AS high_open
  FROM ends
)
SELECT
  r.pair_id,
  s.story IS NOT NULL AS story_known,
  coalesce(r.estimate_a < r.estimate_b AND ma.story = r.story AND mb.story = r.story AND ma.article_id = r.article_a AND mb.article_id = r.article_b AND r.same_article = (r.article_a = r.article_b), false) AS has_two_members,
  coalesce(ma.estimand_id = r.estimand_id AND mb.estimand_id = r.estimand_id AND ma.kind = mb.kind, false) AS is_of_one_estimand,
  ma.left_out IS NULL AND mb.left_out IS NULL AS leaves_out_what_is_left_out,
  coalesce(r.is_denial_pair = (ma.is_denial <> mb.is_denial), false) AS denial_is_of_one,
  CASE WHEN ma.v IS NOT NULL AND mb.v IS NOT NULL THEN CASE WHEN ma.v < mb.v THEN 'LOWER' WHEN ma.v > mb.v THEN 'HIGHER' ELSE 'EQUAL' END = r.point_relation END AS points_relate_so,
  (r.interval_relation = 'DISJOINT') = ((round(ib.low - ia.high, 6) > 0 OR (round(ib.low - ia.high, 6) = 0 AND (ia.high_open OR ib.low_open))) OR (round(ia.low - ib.high, 6) > 0 OR (round(ia.low - ib.high, 6) = 0 AND (ib.high_open OR ia.low_open)))) AS intervals_relate_so,
  r.interval_tolerance = (SELECT max(interval_tolerance) FROM estimate_pairs) AS tolerance_is_one
FROM estimate_pairs r
LEFT JOIN stories s ON s.story = r.story
LEFT JOIN member ma ON ma.estimate_id = r.estimate_a
LEFT JOIN bounds ia ON ia.estimate_id = r.estimate_a
LEFT JOIN member mb ON mb.estimate_id = r.estimate_b
LEFT JOIN bounds ib ON ib.estimate_id = r.estimate_b
