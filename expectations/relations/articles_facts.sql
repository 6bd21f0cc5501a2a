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
  coalesce(v.n, 0) = 9 AS every_layer_covered
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
