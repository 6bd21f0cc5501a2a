-- Derived from schemas/ by `dateline suites`; write relations of your own under another name.
WITH stories AS (
  SELECT a.group AS story
  FROM articles a
  GROUP BY a.group
),
counted AS (
  SELECT estimand_id, count(*) AS n, count(DISTINCT article_id) AS articles
  FROM estimates
  GROUP BY estimand_id
),
paired AS (
  SELECT estimand_id,
    sum(n * (n - 1) / 2) AS pairs
  FROM (SELECT estimand_id, count(*) AS n FROM estimates WHERE left_out IS NULL GROUP BY estimand_id, CASE WHEN change LIKE '%_BY' THEN change ELSE 'LEVEL' END) k
  GROUP BY estimand_id
),
pairs_of AS (
  SELECT estimand_id, count(*) AS n
  FROM estimate_pairs
  GROUP BY estimand_id
)
SELECT
  r.estimand_id,
  s.story IS NOT NULL AS story_known,
  coalesce(c.n = r.n_estimates AND c.articles = r.n_articles, false) AS counts_its_estimates,
  coalesce(q.pairs, 0) = coalesce(w.n, 0) AS has_all_its_pairs
FROM estimands r
LEFT JOIN stories s ON s.story = r.story
LEFT JOIN counted c ON c.estimand_id = r.estimand_id
LEFT JOIN paired q ON q.estimand_id = r.estimand_id
LEFT JOIN pairs_of w ON w.estimand_id = r.estimand_id
