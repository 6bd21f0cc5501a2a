-- Derived from schemas/ by `dateline suites`; write relations of your own under another name.
WITH article_of AS (
  SELECT a.article_id,
    min(a.split) AS split,
    min(a.text_n_code_points) AS n_code_points,
    min(CASE WHEN a.text_redistributable THEN 1 ELSE 0 END) AS is_open,
    min(CASE WHEN a.text_redistributable OR h.hydrated THEN 1 ELSE 0 END) AS may_show
  FROM articles a
  CROSS JOIN release_facts h
  GROUP BY a.article_id
),
files_of AS (
  SELECT article_id, min(split) AS low, max(split) AS high
  FROM placed
  WHERE table_name = 'attributions'
  GROUP BY article_id
),
content_spans_held AS (
  SELECT i.article_id,
    i.attribution_id,
    i.position,
    max(CASE WHEN o.span_start <= i.span_start AND i.span_end <= o.span_end THEN 1 ELSE 0 END) AS held
  FROM attributions__content_spans i
  LEFT JOIN attributions__content_spans o ON o.article_id = i.article_id
    AND o.attribution_id = i.parent_attribution_id
  WHERE i.parent_attribution_id IS NOT NULL
  GROUP BY i.article_id, i.attribution_id, i.position
),
content_spans_inside AS (
  SELECT article_id, attribution_id, min(held) AS held
  FROM content_spans_held
  GROUP BY article_id, attribution_id
),
content_spans_off_cue_spans AS (
  SELECT i.article_id,
    i.attribution_id,
    max(CASE WHEN i.span_start < o.span_end AND o.span_start < i.span_end THEN 1 ELSE 0 END) AS met
  FROM attributions__content_spans i
  JOIN attributions__cue_spans o ON o.article_id = i.article_id AND o.attribution_id = i.attribution_id
  GROUP BY i.article_id, i.attribution_id
),
content_spans_off_source_spans AS (
  SELECT i.article_id,
    i.attribution_id,
    max(CASE WHEN i.span_start < o.span_end AND o.span_start < i.span_end THEN 1 ELSE 0 END) AS met
  FROM attributions__content_spans i
  JOIN attributions__source_spans o ON o.article_id = i.article_id AND o.attribution_id = i.attribution_id
  GROUP BY i.article_id, i.attribution_id
),
known_entities AS (
  SELECT article_id, entity_id
  FROM entities
  GROUP BY article_id, entity_id
),
known_attributions AS (
  SELECT article_id, attribution_id, min(level) AS level
  FROM attributions
  GROUP BY article_id, attribution_id
),
known_times AS (
  SELECT article_id, time_id
  FROM times
  GROUP BY article_id, time_id
),
source_spans_items AS (
  SELECT i.article_id,
    i.attribution_id,
    count(*) AS n,
    bool_and(coalesce(0 <= i.span_start AND i.span_start < i.span_end AND (a.n_code_points IS NULL OR i.span_end <= a.n_code_points) AND (i.before IS NULL OR i.before <= i.span_start), false)) AS fit,
    bool_and(CASE WHEN t.text IS NOT NULL AND 0 <= i.span_start AND i.span_start < i.span_end THEN coalesce(i.surface = substring(t.text, i.span_start + 1, i.span_end - i.span_start), false) END) AS quoted,
    bool_and(i.surface IS NULL OR coalesce(a.may_show, 0) = 1) AS silent
  FROM (SELECT article_id, attribution_id, span_start, span_end, surface, lag(span_end) OVER (PARTITION BY article_id, attribution_id ORDER BY position) AS before FROM attributions__source_spans) i
  LEFT JOIN article_of a ON a.article_id = i.article_id
  LEFT JOIN articles t ON t.article_id = i.article_id
  GROUP BY i.article_id, i.attribution_id
),
cue_spans_items AS (
  SELECT i.article_id,
    i.attribution_id,
    count(*) AS n,
    bool_and(coalesce(0 <= i.span_start AND i.span_start < i.span_end AND (a.n_code_points IS NULL OR i.span_end <= a.n_code_points) AND (i.before IS NULL OR i.before <= i.span_start), false)) AS fit,
    bool_and(CASE WHEN t.text IS NOT NULL AND 0 <= i.span_start AND i.span_start < i.span_end THEN coalesce(i.surface = substring(t.text, i.span_start + 1, i.span_end - i.span_start), false) END) AS quoted,
    bool_and(i.surface IS NULL OR coalesce(a.may_show, 0) = 1) AS silent
  FROM (SELECT article_id, attribution_id, span_start, span_end, surface, lag(span_end) OVER (PARTITION BY article_id, attribution_id ORDER BY position) AS before FROM attributions__cue_spans) i
  LEFT JOIN article_of a ON a.article_id = i.article_id
  LEFT JOIN articles t ON t.article_id = i.article_id
  GROUP BY i.article_id, i.attribution_id
),
content_spans_items AS (
  SELECT i.article_id,
    i.attribution_id,
    count(*) AS n,
    bool_and(coalesce(0 <= i.span_start AND i.span_start < i.span_end AND (a.n_code_points IS NULL OR i.span_end <= a.n_code_points) AND (i.before IS NULL OR i.before <= i.span_start), false)) AS fit,
    bool_and(CASE WHEN t.text IS NOT NULL AND 0 <= i.span_start AND i.span_start < i.span_end THEN coalesce(i.surface = substring(t.text, i.span_start + 1, i.span_end - i.span_start), false) END) AS quoted,
    bool_and(i.surface IS NULL OR coalesce(a.may_show, 0) = 1) AS silent
  FROM (SELECT article_id, attribution_id, span_start, span_end, surface, lag(span_end) OVER (PARTITION BY article_id, attribution_id ORDER BY position) AS before FROM attributions__content_spans) i
  LEFT JOIN article_of a ON a.article_id = i.article_id
  LEFT JOIN articles t ON t.article_id = i.article_id
  GROUP BY i.article_id, i.attribution_id
),
source_entity_ids_items AS (
  SELECT i.article_id,
    i.attribution_id,
    count(*) AS n,
    bool_and(x.entity_id IS NOT NULL) AS resolves,
    count(DISTINCT i.item) AS different
  FROM attributions__source_entity_ids i
  LEFT JOIN known_entities x ON x.article_id = i.article_id
    AND x.entity_id = i.item
  GROUP BY i.article_id, i.attribution_id
),
on_behalf_of_entity_ids_items AS (
  SELECT i.article_id,
    i.attribution_id,
    count(*) AS n,
    bool_and(x.entity_id IS NOT NULL) AS resolves,
    count(DISTINCT i.item) AS different
  FROM attributions__on_behalf_of_entity_ids i
  LEFT JOIN known_entities x ON x.article_id = i.article_id
    AND x.entity_id = i.item
  GROUP BY i.article_id, i.attribution_id
),
addressee_entity_ids_items AS (
  SELECT i.article_id,
    i.attribution_id,
    count(*) AS n,
    bool_and(x.entity_id IS NOT NULL) AS resolves,
    count(DISTINCT i.item) AS different
  FROM attributions__addressee_entity_ids i
  LEFT JOIN known_entities x ON x.article_id = i.article_id
    AND x.entity_id = i.item
  GROUP BY i.article_id, i.attribution_id
),
content_alternatives_items AS (
  SELECT i.article_id,
    i.attribution_id,
    count(*) AS n,
    bool_and(coalesce(0 <= i.span_start AND i.span_start < i.span_end AND (a.n_code_points IS NULL OR i.span_end <= a.n_code_points) AND (i.before IS NULL OR i.before <= i.span_start), false)) AS fit,
    bool_and(CASE WHEN t.text IS NOT NULL AND 0 <= i.span_start AND i.span_start < i.span_end THEN coalesce(i.surface = substring(t.text, i.span_start + 1, i.span_end - i.span_start), false) END) AS quoted,
    bool_and(i.surface IS NULL OR coalesce(a.may_show, 0) = 1) AS silent
  FROM (SELECT article_id, attribution_id, span_start, span_end, surface, lag(span_end) OVER (PARTITION BY article_id, attribution_id, alternative ORDER BY position) AS before FROM attributions__content_alternatives) i
  LEFT JOIN article_of a ON a.article_id = i.article_id
  LEFT JOIN articles t ON t.article_id = i.article_id
  GROUP BY i.article_id, i.attribution_id
),
insertion_spans_items AS (
  SELECT i.article_id,
    i.attribution_id,
    count(*) AS n,
    bool_and(coalesce(0 <= i.span_start AND i.span_start < i.span_end AND (a.n_code_points IS NULL OR i.span_end <= a.n_code_points) AND (i.before IS NULL OR i.before <= i.span_start), false)) AS fit,
    bool_and(CASE WHEN t.text IS NOT NULL AND 0 <= i.span_start AND i.span_start < i.span_end THEN coalesce(i.surface = substring(t.text, i.span_start + 1, i.span_end - i.span_start), false) END) AS quoted,
    bool_and(i.surface IS NULL OR coalesce(a.may_show, 0) = 1) AS silent
  FROM (SELECT article_id, attribution_id, span_start, span_end, surface, lag(span_end) OVER (PARTITION BY article_id, attribution_id ORDER BY position) AS before FROM attributions__insertion_spans) i
  LEFT JOIN article_of a ON a.article_id = i.article_id
  LEFT JOIN articles t ON t.article_id = i.article_id
  GROUP BY i.article_id, i.attribution_id
)
SELECT
  r.article_id,
  r.attribution_id,
  a.article_id IS NOT NULL AS article_known,
  p.low = a.split AND p.high = a.split AS in_its_split,
  source_spans_all.fit AS source_spans_fit,
  source_spans_all.quoted AS source_spans_surface,
  source_spans_all.silent AS source_spans_withheld,
  cue_spans_all.fit AS cue_spans_fit,
  cue_spans_all.quoted AS cue_spans_surface,
  cue_spans_all.silent AS cue_spans_withheld,
  content_spans_all.fit AS content_spans_fit,
  content_spans_all.quoted AS content_spans_surface,
  content_spans_all.silent AS content_spans_withheld,
  coalesce(content_spans_all.n, 0) >= 1 AS content_spans_items,
  content_spans_inside.held = 1 AS content_spans_within,
  content_spans_off_cue_spans.met = 0 AS content_spans_outside_cue_spans,
  content_spans_off_source_spans.met = 0 AS content_spans_outside_source_spans,
  source_entity_ids_all.resolves AS source_entity_ids_resolves,
  coalesce(source_entity_ids_all.n, 0) >= 1 AND coalesce(source_entity_ids_all.different = source_entity_ids_all.n, true) AS source_entity_ids_items,
  on_behalf_of_entity_ids_all.resolves AS on_behalf_of_entity_ids_resolves,
  coalesce(on_behalf_of_entity_ids_all.different = on_behalf_of_entity_ids_all.n, true) AS on_behalf_of_entity_ids_items,
  r.illocution IS NOT DISTINCT FROM CASE r.attitude WHEN 'ASSERTION' THEN 'ASSERTIVE' WHEN 'BELIEF' THEN 'ASSERTIVE' WHEN 'PERCEPTION' THEN 'ASSERTIVE' WHEN 'INTENTION' THEN 'COMMISSIVE' WHEN 'DIRECTIVE' THEN 'DIRECTIVE' WHEN 'QUESTION' THEN 'INTERROGATIVE' END AS illocution_derived,
  CASE WHEN r.parent_attribution_id IS NULL THEN coalesce(r.level = 1, false) WHEN parent_attribution_id_to.attribution_id IS NOT NULL THEN coalesce(r.level = parent_attribution_id_to.level + 1, false) END AS level_depth,
  CASE WHEN r.parent_attribution_id IS NOT NULL THEN parent_attribution_id_to.attribution_id IS NOT NULL END AS parent_attribution_id_resolves,
  addressee_entity_ids_all.resolves AS addressee_entity_ids_resolves,
  coalesce(addressee_entity_ids_all.different = addressee_entity_ids_all.n, true) AS addressee_entity_ids_items,
  CASE WHEN r.time_id IS NOT NULL THEN time_id_to.time_id IS NOT NULL END AS time_id_resolves,
  content_alternatives_all.fit AS content_alternatives_fit,
  content_alternatives_all.quoted AS content_alternatives_surface,
  content_alternatives_all.silent AS content_alternatives_withheld,
  insertion_spans_all.fit AS insertion_spans_fit,
  insertion_spans_all.quoted AS insertion_spans_surface,
  insertion_spans_all.silent AS insertion_spans_withheld,
  CASE WHEN coalesce(r.source_implicit IN (true), false) THEN coalesce(source_spans_all.n, 0) <= 0 ELSE coalesce(source_spans_all.n, 0) >= 1 END AS law_attribution_source,
  CASE WHEN coalesce(r.source_implicit IN (true), false) THEN coalesce(r.source_type IN ('UNSPECIFIED'), false) ELSE true END AS law_attribution_implicit_type,
  CASE WHEN NOT (coalesce(r.quote_type IN ('DIRECT'), false)) THEN coalesce(cue_spans_all.n, 0) >= 1 ELSE true END AS law_attribution_cue,
  CASE WHEN r.time_id IS NOT NULL THEN r.as_of_basis IS NOT NULL ELSE r.as_of_basis IS NULL END AS law_time_basis,
  coalesce(a.may_show, 0) = 1 OR (r.note IS NULL) AS columns_withheld
FROM attributions r
LEFT JOIN article_of a ON a.article_id = r.article_id
LEFT JOIN files_of p ON p.article_id = r.article_id
LEFT JOIN content_spans_inside ON content_spans_inside.article_id = r.article_id AND content_spans_inside.attribution_id = r.attribution_id
LEFT JOIN content_spans_off_cue_spans ON content_spans_off_cue_spans.article_id = r.article_id AND content_spans_off_cue_spans.attribution_id = r.attribution_id
LEFT JOIN content_spans_off_source_spans ON content_spans_off_source_spans.article_id = r.article_id AND content_spans_off_source_spans.attribution_id = r.attribution_id
LEFT JOIN known_attributions parent_attribution_id_to ON parent_attribution_id_to.article_id = r.article_id AND parent_attribution_id_to.attribution_id = r.parent_attribution_id
LEFT JOIN known_times time_id_to ON time_id_to.article_id = r.article_id AND time_id_to.time_id = r.time_id
LEFT JOIN source_spans_items source_spans_all ON source_spans_all.article_id = r.article_id AND source_spans_all.attribution_id = r.attribution_id
LEFT JOIN cue_spans_items cue_spans_all ON cue_spans_all.article_id = r.article_id AND cue_spans_all.attribution_id = r.attribution_id
LEFT JOIN content_spans_items content_spans_all ON content_spans_all.article_id = r.article_id AND content_spans_all.attribution_id = r.attribution_id
LEFT JOIN source_entity_ids_items source_entity_ids_all ON source_entity_ids_all.article_id = r.article_id AND source_entity_ids_all.attribution_id = r.attribution_id
LEFT JOIN on_behalf_of_entity_ids_items on_behalf_of_entity_ids_all ON on_behalf_of_entity_ids_all.article_id = r.article_id AND on_behalf_of_entity_ids_all.attribution_id = r.attribution_id
LEFT JOIN addressee_entity_ids_items addressee_entity_ids_all ON addressee_entity_ids_all.article_id = r.article_id AND addressee_entity_ids_all.attribution_id = r.attribution_id
LEFT JOIN content_alternatives_items content_alternatives_all ON content_alternatives_all.article_id = r.article_id AND content_alternatives_all.attribution_id = r.attribution_id
LEFT JOIN insertion_spans_items insertion_spans_all ON insertion_spans_all.article_id = r.article_id AND insertion_spans_all.attribution_id = r.attribution_id
