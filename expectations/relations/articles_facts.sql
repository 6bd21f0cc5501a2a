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
  CASE WHEN c.n > 0 THEN coalesce(t.n, 0) = 1 END AS one_creation_time
FROM articles r
LEFT JOIN (
  SELECT article_id, count(*) AS n FROM coverage WHERE layer = 'times' AND status = 'FULL' GROUP BY article_id
) c ON c.article_id = r.article_id
LEFT JOIN (
  SELECT article_id, count(*) AS n FROM times WHERE function_in_document = 'CREATION_TIME' GROUP BY article_id
) t ON t.article_id = r.article_id
