-- Facts about articles. NULL where a condition does not apply, or where a withheld text leaves it open.
SELECT
  r.article_id,
  -- articles-id-hash: the id names the text, so that a changed text cannot keep its id.
  substring(r.article_id, length(r.article_id) - 11, 12) = substring(r.text_sha256, 1, 12) AS id_names_text,
  -- articles-controls: tabs, carriage returns and the like are traces of a conversion, and confuse who counts characters.
  CASE WHEN r.text IS NOT NULL THEN length(translate(r.text, concat(
    chr(1), chr(2), chr(3), chr(4), chr(5), chr(6), chr(7), chr(8), chr(9), chr(11), chr(12), chr(13), chr(14), chr(15), chr(16),
    chr(17), chr(18), chr(19), chr(20), chr(21), chr(22), chr(23), chr(24), chr(25), chr(26), chr(27), chr(28), chr(29), chr(30),
    chr(31), chr(127)
  ), '')) = length(r.text) END AS no_controls,
  -- times-one-creation: relative times are anchored to it. Where times are not annotated in full there may be none.
  CASE WHEN c.n > 0 THEN coalesce(t.n, 0) = 1 END AS one_creation_time,
  -- articles-id-date: {outlet}-{yyyymmdd}-{hash}: the id names the day of publication.
  split_part(r.article_id, '-', 2) = replace(CAST(r.published AS STRING), '-', '') AS id_names_day,
  -- articles-outlet: the id begins with the outlet, so the two go together. An outlet may change its name, so a warning.
  o.low = o.high AND w.low = w.high AS one_name_of_outlet,
  -- articles-wire-real: WIRE is taken from a news service; what is invented here was written for this corpus.
  CASE WHEN r.origin = 'WIRE' THEN NOT r.fictional END AS wire_is_real,
  -- articles-retrieved: before its day it was not there.
  r.published <= r.source_retrieved_at AS retrieved_after,
  -- articles-revision: 1 is the first draft, and what was applied since then stands in the log.
  (r.revision > 1) = (coalesce(g.applied, 0) > 0) AS revision_logged,
  -- articles-based-on: each published source that the article retells is named, once.
  b.n = b.different AS sources_named_once,
  -- coverage-every-layer: where nothing is said of a layer, nobody knows whether nothing is there or nobody looked.
  coalesce(v.n, 0) = 9 AS every_layer_covered,
  -- contrast-whole: what is said of a member of a contrast set is said whole, and of nothing else.
  (coalesce(r.tier, '') = 'CONTRAST') = (r.contrast_set_id IS NOT NULL)
    AND (r.contrast_set_id IS NULL) = (r.edited_phenomenon IS NULL)
    AND (r.contrast_set_id IS NULL) = (r.expected_change IS NULL)
    AND (r.contrast_set_id IS NOT NULL OR coalesce(u.n, 0) = 0) AS contrast_said_whole,
  -- contrast-pair: both members tell one thing of their set.
  CASE WHEN r.contrast_set_id IS NOT NULL THEN
    p.members = 2 AND p.phenomenon_low = p.phenomenon_high AND p.change_low = p.change_high AND p.held_low = p.held_high
  END AS two_of_one_set,
  -- contrast-answers: a system that answers alike to both members is right half of the time, and on no set.
  CASE WHEN r.contrast_set_id IS NOT NULL THEN
    coalesce(p.statements, 0) = 2 AND p.statement_low = p.statement_high AND p.answer_low <> p.answer_high
  END AS one_statement_two_answers,
  -- canary-one: whoever looks for the corpus in a training set looks for one string.
  coalesce(r.canary = y.low AND r.canary = y.high, false) AS one_canary
FROM articles r
LEFT JOIN (
  SELECT article_id, count(*) AS n FROM coverage WHERE layer = 'times' AND status = 'FULL' GROUP BY article_id
) c ON c.article_id = r.article_id
LEFT JOIN (
  SELECT article_id, count(*) AS n FROM times WHERE function_in_document = 'CREATION_TIME' GROUP BY article_id
) t ON t.article_id = r.article_id
LEFT JOIN (
  SELECT split_part(article_id, '-', 1) AS outlet, min(publisher) AS low, max(publisher) AS high
  FROM articles
  GROUP BY split_part(article_id, '-', 1)
) o ON o.outlet = split_part(r.article_id, '-', 1)
LEFT JOIN (
  SELECT publisher, min(split_part(article_id, '-', 1)) AS low, max(split_part(article_id, '-', 1)) AS high
  FROM articles
  GROUP BY publisher
) w ON w.publisher = r.publisher
LEFT JOIN (
  SELECT article_id, sum(CASE WHEN item_decision IN ('APPLIED', 'PARTLY_APPLIED') THEN 1 ELSE 0 END) AS applied
  FROM articles__correction_log
  GROUP BY article_id
) g ON g.article_id = r.article_id
LEFT JOIN (
  SELECT article_id, count(*) AS n, count(DISTINCT CASE WHEN trim(item) <> '' THEN item END) AS different
  FROM articles__source_based_on
  GROUP BY article_id
) b ON b.article_id = r.article_id
LEFT JOIN (
  SELECT article_id, count(DISTINCT layer) AS n
  FROM coverage
  WHERE layer IN (
    'segments', 'entities', 'mentions', 'times', 'quantities', 'attributions', 'events', 'factuality', 'claims'
  )
  GROUP BY article_id
) v ON v.article_id = r.article_id
LEFT JOIN (
  SELECT article_id, count(*) AS n FROM articles__held_out GROUP BY article_id
) u ON u.article_id = r.article_id
LEFT JOIN (
  SELECT
    a.contrast_set_id, count(*) AS members, min(a.edited_phenomenon) AS phenomenon_low, max(a.edited_phenomenon) AS phenomenon_high,
    min(a.expected_change) AS change_low, max(a.expected_change) AS change_high,
    min(coalesce(h.said, '')) AS held_low, max(coalesce(h.said, '')) AS held_high,
    sum(s.n) AS statements, min(s.low) AS statement_low, max(s.high) AS statement_high,
    min(s.answer) AS answer_low, max(s.answer) AS answer_high
  FROM articles a
  LEFT JOIN (
    SELECT article_id, concat(min(item), ' ', max(item)) AS said FROM articles__held_out GROUP BY article_id
  ) h ON h.article_id = a.article_id
  LEFT JOIN (
    SELECT article_id, count(hypothesis) AS n, min(hypothesis) AS low, max(hypothesis) AS high, min(answer) AS answer
    FROM probes
    GROUP BY article_id
  ) s ON s.article_id = a.article_id
  WHERE a.contrast_set_id IS NOT NULL
  GROUP BY a.contrast_set_id
) p ON p.contrast_set_id = r.contrast_set_id
CROSS JOIN (SELECT min(canary) AS low, max(canary) AS high FROM articles) y
