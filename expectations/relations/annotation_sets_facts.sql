-- Facts about annotation sets.
WITH known AS (
  SELECT article_id, annotation_set_id, min(layer) AS layer FROM annotation_sets GROUP BY article_id, annotation_set_id
),
annotators AS (
  SELECT annotator_id, min(annotator_type) AS low, max(annotator_type) AS high FROM annotation_sets GROUP BY annotator_id
)
SELECT
  r.article_id,
  r.annotation_set_id,
  -- sets-supersedes: what is replaced stands beside what replaces it, about the same layer.
  CASE WHEN r.supersedes IS NOT NULL
    THEN coalesce(k.layer = r.layer, false) AND r.supersedes <> r.annotation_set_id END AS replaces_another,
  -- sets-adjudicated: who decided between annotators is named where somebody did, and nowhere else.
  (r.status = 'ADJUDICATED') = (r.adjudicator_id IS NOT NULL) AS adjudicator_named,
  -- sets-tool: a version is a tool's.
  CASE WHEN r.tool_version IS NOT NULL THEN r.tool IS NOT NULL END AS version_of_a_tool,
  -- sets-annotator: a pseudonym stands for one person, or for one model.
  a.low = a.high AS one_kind_of_annotator
FROM annotation_sets r
LEFT JOIN known k ON k.article_id = r.article_id AND k.annotation_set_id = r.supersedes
LEFT JOIN annotators a ON a.annotator_id = r.annotator_id
