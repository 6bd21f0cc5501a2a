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
  WHERE table_name = 'articles'
  GROUP BY article_id
),
split_of_group AS (
  SELECT g.group AS group_name, min(g.split) AS low, max(g.split) AS high
  FROM articles g
  GROUP BY g.group
),
before_it AS (
  SELECT b.article_id, min(b.split) AS split, min(b.group) AS group_name
  FROM articles b
  GROUP BY b.article_id
),
versions AS (
  SELECT e.article_id,
    min(lpad(split_part(e.added_in, '.', 1), 9, '0') || lpad(split_part(e.added_in, '.', 2), 9, '0') || lpad(split_part(e.added_in, '.', 3), 9, '0')) AS added,
    min(lpad(split_part(e.changed_in, '.', 1), 9, '0') || lpad(split_part(e.changed_in, '.', 2), 9, '0') || lpad(split_part(e.changed_in, '.', 3), 9, '0')) AS changed,
    min(lpad(split_part(nullif(h.version, '0.0.0'), '.', 1), 9, '0') || lpad(split_part(nullif(h.version, '0.0.0'), '.', 2), 9, '0') || lpad(split_part(nullif(h.version, '0.0.0'), '.', 3), 9, '0')) AS this
  FROM articles e
  CROSS JOIN release_facts h
  GROUP BY e.article_id
),
crossing_paragraphs AS (
  SELECT o.digest
  FROM long_paragraphs o
  GROUP BY o.digest
  HAVING min(o.split) <> max(o.split)
),
with_crossing AS (
  SELECT l.article_id, count(*) AS n
  FROM long_paragraphs l
  JOIN crossing_paragraphs o ON o.digest = l.digest
  GROUP BY l.article_id
),
in_records AS (
  SELECT article_id, count(*) AS n
  FROM records
  GROUP BY article_id
),
in_standoff AS (
  SELECT article_id, count(*) AS n
  FROM standoff
  GROUP BY article_id
),
held_out_items AS (
  SELECT i.article_id,
    count(*) AS n,
    count(DISTINCT i.item) AS different,
    bool_and(coalesce(i.item IN ('CELL', 'LEXICON'), false)) AS labelled
  FROM articles__held_out i
  GROUP BY i.article_id
),
source_based_on_items AS (
  SELECT i.article_id, count(*) AS n, bool_and(i.item IS NOT NULL) AS present
  FROM articles__source_based_on i
  GROUP BY i.article_id
),
correction_log_items AS (
  SELECT i.article_id,
    count(*) AS n,
    bool_and(i.item_decision IS NULL OR i.item_decision IN ('APPLIED', 'PARTLY_APPLIED', 'NOT_APPLIED')) AS decision_labelled,
    bool_and(i.item_item IS NOT NULL AND i.item_decision IS NOT NULL AND i.item_reason IS NOT NULL) AS present
  FROM articles__correction_log i
  GROUP BY i.article_id
)
SELECT
  r.article_id,
  p.low = a.split AND p.high = a.split AS in_its_split,
  CASE WHEN h.split_mode = 'computed' THEN g.low = g.high END AS group_in_one_split,
  CASE WHEN h.split_mode = 'computed' THEN b.split = r.split AND b.group_name = r.group END AS with_the_one_it_supersedes,
  CASE WHEN r.supersedes IS NOT NULL THEN b.article_id IS NOT NULL AND r.supersedes <> r.article_id END AS supersedes_resolves,
  coalesce(translate(r.added_in, '0123456789', '') = '..', true) AND coalesce(translate(r.changed_in, '0123456789', '') = '..', true) AND (r.changed_in IS NULL OR r.added_in IS NOT NULL) AND coalesce(v.added <= v.this, true) AND coalesce(v.added < v.changed, true) AND coalesce(v.changed <= v.this, true) AS versions_follow,
  CASE WHEN m.article_id IS NOT NULL THEN coalesce(m.sha256 = r.text_sha256 AND m.n_code_points = r.text_n_code_points AND m.n_bytes = r.text_n_bytes, false) END AS text_measures,
  CASE WHEN m.article_id IS NOT NULL THEN coalesce(s.n, 0) = 0 END AS paragraphs_in_one_split,
  coalesce(r.text_n_code_points <= r.text_n_bytes AND r.text_n_bytes <= 4 * r.text_n_code_points, false) AS text_sizes,
  coalesce(in_records.n, 0) = CASE WHEN r.text_redistributable THEN 1 ELSE 0 END AND coalesce(in_standoff.n, 0) = CASE WHEN r.text_redistributable THEN 0 ELSE 1 END AS in_one_record,
  coalesce(held_out_all.different = held_out_all.n, true) AS held_out_items,
  held_out_all.labelled AS held_out_labels,
  source_based_on_all.present AS source_based_on_present,
  correction_log_all.decision_labelled AS correction_log_decision_labels,
  correction_log_all.present AS correction_log_present,
  coalesce(r.annotation_license IN ('CC-BY-4.0', 'CC-BY-SA-4.0', 'CC0-1.0'), false) AS law_rights_annotation,
  CASE WHEN coalesce(r.text_redistributable = true, false) THEN r.text_license IS NOT NULL ELSE true END AS law_rights_text,
  CASE WHEN coalesce(r.origin IN ('MODEL_WRITTEN', 'HUMAN_WRITTEN'), false) AND coalesce(r.fictional IN (false), false) THEN coalesce(source_based_on_all.n, 0) >= 1 ELSE true END AS law_origin_based_on,
  coalesce(a.may_show, 0) = 1 OR (r.text IS NULL AND r.headline IS NULL AND r.byline IS NULL) AS columns_withheld
FROM articles r
LEFT JOIN article_of a ON a.article_id = r.article_id
LEFT JOIN files_of p ON p.article_id = r.article_id
LEFT JOIN split_of_group g ON g.group_name = r.group
CROSS JOIN release_facts h
LEFT JOIN before_it b ON b.article_id = r.supersedes
LEFT JOIN versions v ON v.article_id = r.article_id
LEFT JOIN measured_texts m ON m.article_id = r.article_id
LEFT JOIN with_crossing s ON s.article_id = r.article_id
LEFT JOIN in_records ON in_records.article_id = r.article_id
LEFT JOIN in_standoff ON in_standoff.article_id = r.article_id
LEFT JOIN held_out_items held_out_all ON held_out_all.article_id = r.article_id
LEFT JOIN source_based_on_items source_based_on_all ON source_based_on_all.article_id = r.article_id
LEFT JOIN correction_log_items correction_log_all ON correction_log_all.article_id = r.article_id
