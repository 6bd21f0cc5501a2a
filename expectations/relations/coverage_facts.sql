-- Facts about coverage.
SELECT
  r.article_id,
  r.layer,
  -- coverage-by-a-set: what was annotated was annotated by somebody, with some tool and guideline.
  CASE WHEN r.status <> 'NONE' THEN s.n IS NOT NULL END AS by_a_set
FROM coverage r
LEFT JOIN (
  SELECT article_id, layer, count(*) AS n FROM annotation_sets GROUP BY article_id, layer
) s ON s.article_id = r.article_id AND s.layer = r.layer
