-- Facts about time expressions.
WITH in_artifact AS (
  SELECT i.article_id, i.time_id, count(s.article_id) AS n
  FROM times__spans i
  JOIN segments__spans s ON s.article_id = i.article_id
    AND s.kind = 'ingest_artifact'
    AND i.span_start < s.span_end
    AND s.span_start < i.span_end
  GROUP BY i.article_id, i.time_id
),
across AS (
  SELECT i.article_id, i.time_id, count(s.article_id) AS n
  FROM times__spans i
  JOIN segments__spans s ON s.article_id = i.article_id
    AND s.kind IN ('body', 'credit', 'headline', 'dateline')
    AND i.span_start < s.span_end
    AND s.span_start < i.span_end
    AND NOT (s.span_start <= i.span_start AND i.span_end <= s.span_end)
  GROUP BY i.article_id, i.time_id
),
days AS (
  SELECT article_id, time_id,
    max(CASE WHEN lower(surface) LIKE '%monday%' OR lower(surface) LIKE '%montag%' THEN 1 ELSE 0 END) AS mon,
    max(CASE WHEN lower(surface) LIKE '%tuesday%' OR lower(surface) LIKE '%dienstag%' THEN 1 ELSE 0 END) AS tue,
    max(CASE WHEN lower(surface) LIKE '%wednesday%' OR lower(surface) LIKE '%mittwoch%' THEN 1 ELSE 0 END) AS wed,
    max(CASE WHEN lower(surface) LIKE '%thursday%' OR lower(surface) LIKE '%donnerstag%' THEN 1 ELSE 0 END) AS thu,
    max(CASE WHEN lower(surface) LIKE '%friday%' OR lower(surface) LIKE '%freitag%' THEN 1 ELSE 0 END) AS fri,
    max(CASE WHEN lower(surface) LIKE '%saturday%' OR lower(surface) LIKE '%samstag%' THEN 1 ELSE 0 END) AS sat,
    max(CASE WHEN lower(surface) LIKE '%sunday%' OR lower(surface) LIKE '%sonntag%' THEN 1 ELSE 0 END) AS sun
  FROM times__spans
  WHERE surface IS NOT NULL AND earliest = latest
  GROUP BY article_id, time_id
),
edtf_ends AS (
  SELECT article_id, time_id,
    min(CASE WHEN length(translate(low, '0123456789-', '')) = 0 AND substring(low, 6, 2) <= '12' THEN low END) AS first_one,
    min(CASE WHEN length(translate(high, '0123456789-', '')) = 0 AND substring(high, 6, 2) <= '12' THEN high END) AS last_one
  FROM (
    SELECT article_id, time_id, split_part(edtf, '/', 1) AS low,
      CASE WHEN edtf LIKE '%/%' THEN split_part(edtf, '/', 2) ELSE edtf END AS high
    FROM times
  ) ends
  GROUP BY article_id, time_id
)
SELECT
  r.article_id,
  r.time_id,
  -- times-weekday: catches slips in anchoring. For one name (English, German) and one day; weeks begin on Monday.
  CASE WHEN d.mon + d.tue + d.wed + d.thu + d.fri + d.sat + d.sun = 1 THEN
    CAST(date_trunc('week', r.earliest) AS DATE)
      = r.earliest - CAST(d.tue + 2 * d.wed + 3 * d.thu + 4 * d.fri + 5 * d.sat + 6 * d.sun AS INT)
  END AS weekday_fits,
  -- spans-outside-artifacts: an artifact of ingestion (a date line of the crawler) is no part of what the outlet wrote.
  -- The creation time may: that line is often the only evidence of the date.
  CASE WHEN r.function_in_document <> 'CREATION_TIME' THEN coalesce(i.n, 0) = 0 END AS outside_artifacts,
  -- spans-in-paragraph: a span that only partly lies in a paragraph has swallowed its end; most such spans are slips.
  coalesce(p.n, 0) = 0 AS in_paragraph,
  -- times-anchor: the anchor is what the value was computed from, so nothing else has one, and no time is its own.
  CASE WHEN r.anchor_time_id IS NOT NULL THEN r.temporal_function AND r.anchor_time_id <> r.time_id END AS anchored,
  -- times-creation-date: an article may be written the day before, so a warning.
  CASE WHEN r.function_in_document = 'CREATION_TIME' THEN
    coalesce(r.earliest = a.published, true) AND coalesce(r.latest = a.published, true)
    AND substring(r.value, 1, 10) = CAST(a.published AS STRING)
  END AS created_that_day,
  -- times-days: a year, month or day, and the first and last day of it, begin alike. Modifiers such as BEFORE lead out of it,
  -- a night may end the day after; weeks, seasons and unknown digits are not read.
  CASE WHEN length(translate(substring(r.value, 1, 10), '0123456789-', '')) = 0
      AND length(r.value) >= 4
      AND coalesce(r.mod, 'NONE') IN ('NONE', 'START', 'MID', 'END')
    THEN coalesce(substring(CAST(r.earliest AS STRING), 1, least(length(r.value), 10)) = substring(r.value, 1, 10), true)
      AND coalesce(length(r.value) > 10 OR substring(CAST(r.latest AS STRING), 1, length(r.value)) = r.value, true)
  END AS days_agree,
  -- times-days: EDTF names the first and the last day, where it names a day, month or year with certainty.
  CASE WHEN r.edtf IS NOT NULL
    THEN coalesce(substring(CAST(r.earliest AS STRING), 1, length(e.first_one)) = e.first_one, true)
      AND coalesce(substring(CAST(r.latest AS STRING), 1, length(e.last_one)) = e.last_one, true)
  END AS edtf_agrees
FROM times r
LEFT JOIN days d ON d.article_id = r.article_id AND d.time_id = r.time_id
LEFT JOIN in_artifact i ON i.article_id = r.article_id AND i.time_id = r.time_id
LEFT JOIN across p ON p.article_id = r.article_id AND p.time_id = r.time_id
LEFT JOIN (
  SELECT article_id, min(published) AS published FROM articles GROUP BY article_id
) a ON a.article_id = r.article_id
LEFT JOIN edtf_ends e ON e.article_id = r.article_id AND e.time_id = r.time_id
