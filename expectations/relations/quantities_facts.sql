-- Facts about quantities.
WITH in_artifact AS (
  SELECT i.article_id, i.quantity_id, count(s.article_id) AS n
  FROM quantities__spans i
  JOIN segments__spans s ON s.article_id = i.article_id
    AND s.kind = 'ingest_artifact'
    AND i.span_start < s.span_end
    AND s.span_start < i.span_end
  GROUP BY i.article_id, i.quantity_id
),
across AS (
  SELECT i.article_id, i.quantity_id, count(s.article_id) AS n
  FROM quantities__spans i
  JOIN segments__spans s ON s.article_id = i.article_id
    AND s.kind IN ('body', 'credit', 'headline', 'dateline')
    AND i.span_start < s.span_end
    AND s.span_start < i.span_end
    AND NOT (s.span_start <= i.span_start AND i.span_end <= s.span_end)
  GROUP BY i.article_id, i.quantity_id
),
-- the sentence is not known where the text is withheld
wounds AS (
  SELECT i.article_id, i.quantity_id, max(CASE WHEN s.surface IS NULL THEN NULL
    WHEN lower(s.surface) LIKE '%wounded%' OR lower(s.surface) LIKE '%injur%' THEN 1
    WHEN lower(s.surface) LIKE '%verletzt%' OR lower(s.surface) LIKE '%verwundet%' THEN 1
    ELSE 0 END) AS told
  FROM quantities__spans i
  JOIN segments__spans s ON s.article_id = i.article_id
    AND s.kind = 'sentence'
    AND s.span_start <= i.span_start
    AND i.span_end <= s.span_end
  GROUP BY i.article_id, i.quantity_id
),
-- who counts the wounded of the same sentence apart has not counted them among the dead
counted_apart AS (
  SELECT i.article_id, i.quantity_id, count(o.quantity_id) AS n
  FROM quantities__spans i
  JOIN segments__spans s ON s.article_id = i.article_id
    AND s.kind = 'sentence'
    AND s.span_start <= i.span_start
    AND i.span_end <= s.span_end
  JOIN quantities__spans o ON o.article_id = i.article_id
    AND o.measure IN ('INJURED', 'CASUALTIES')
    AND s.span_start <= o.span_start
    AND o.span_end <= s.span_end
  GROUP BY i.article_id, i.quantity_id
),
-- "14 Millionen": the first word as digits, the second as their scale; a comma is a point where languages write it so
words AS (
  SELECT n.article_id, n.quantity_id,
    CASE WHEN substring(a.language, 1, 2) IN ('cs', 'da', 'de', 'es', 'fi', 'fr', 'it', 'nb', 'nl', 'pl', 'pt', 'ru', 'sv', 'tr', 'uk')
      THEN replace(replace(split_part(n.surface, ' ', 1), '.', ''), ',', '.')
      ELSE replace(split_part(n.surface, ' ', 1), ',', '')
    END AS digits,
    lower(split_part(n.surface, ' ', 2)) AS scale
  FROM quantities__number_span n
  JOIN articles a ON a.article_id = n.article_id
),
numbers AS (
  SELECT article_id, quantity_id, min(TRY_CAST(digits AS DECIMAL(27, 9)) * CASE
    WHEN scale = '' OR scale = '%' THEN 1
    WHEN scale IN ('thousand', 'tausend') THEN 1000
    WHEN scale LIKE 'million%' THEN 1000000
    WHEN scale LIKE 'milliard%' OR scale = 'billion' THEN 1000000000
  END) AS number
  FROM words
  GROUP BY article_id, quantity_id
),
measures_by_id AS (
  SELECT article_id, quantity_id, min(measure) AS measure
  FROM quantities
  GROUP BY article_id, quantity_id
),
beginnings AS (
  SELECT article_id, quantity_id, min(span_start) AS begins FROM quantities__spans GROUP BY article_id, quantity_id
),
hedged AS (
  SELECT n.article_id, n.quantity_id,
    max(CASE WHEN n.span_start < h.span_end AND h.span_start < n.span_end THEN 1 ELSE 0 END) AS met
  FROM quantities__number_span n
  JOIN quantities__hedge_spans h ON h.article_id = n.article_id AND h.quantity_id = n.quantity_id
  GROUP BY n.article_id, n.quantity_id
)
SELECT
  r.article_id,
  r.quantity_id,
  -- quantities-casualties: wounded must never reach a count of deaths. A word list, so a warning.
  CASE WHEN r.measure = 'FATALITIES' THEN coalesce(k.n, 0) > 0 OR w.told = 0 END AS deaths_only,
  -- quantities-number-value: catches slips of the keyboard; numbers in words are not read.
  n.number = r.value AS number_gives_value,
  -- quantities-money: money of the real world has a currency of ISO 4217; a made-up country has made-up money.
  CASE WHEN r.quantity_kind = 'MONEY' AND r.unit IS NOT NULL AND NOT a.fictional
    THEN coalesce(r.unit_system = 'ISO4217', false) END AS money_has_currency,
  -- quantities-not-itself: a quantity is no part, repetition or correction of itself.
  coalesce(r.subset_of_quantity_id <> r.quantity_id, true)
    AND coalesce(r.restates_quantity_id <> r.quantity_id, true)
    AND coalesce(r.retracts_quantity_id <> r.quantity_id, true) AS not_itself,
  -- quantities-restates-measure: who repeats a number still measures the same.
  o.measure = r.measure AS same_measure,
  -- spans-outside-artifacts: an artifact of ingestion (a date line of the crawler) is no part of what the outlet wrote.
  coalesce(i.n, 0) = 0 AS outside_artifacts,
  -- spans-in-paragraph: a span that only partly lies in a paragraph has swallowed its end; most such spans are slips.
  coalesce(p.n, 0) = 0 AS in_paragraph,
  -- quantities-restates-earlier: what is repeated was said before, and its hedge holds here too.
  t.begins < h.begins AS restates_earlier,
  -- quantities-number-alone: the hedge is no part of the number.
  g.met = 0 AS number_alone,
  -- quantities-usual-unit: persons killed are counted in persons. A usual unit is not the only one, so a warning.
  CASE WHEN u.unit IS NOT NULL AND r.unit IS NOT NULL THEN r.unit = u.unit END AS usual_unit
FROM quantities r
LEFT JOIN (
  SELECT article_id, min(CASE WHEN fictional THEN 1 ELSE 0 END) = 1 AS fictional FROM articles GROUP BY article_id
) a ON a.article_id = r.article_id
LEFT JOIN wounds w ON w.article_id = r.article_id AND w.quantity_id = r.quantity_id
LEFT JOIN counted_apart k ON k.article_id = r.article_id AND k.quantity_id = r.quantity_id
LEFT JOIN numbers n ON n.article_id = r.article_id AND n.quantity_id = r.quantity_id
LEFT JOIN measures_by_id o ON o.article_id = r.article_id AND o.quantity_id = r.restates_quantity_id
LEFT JOIN in_artifact i ON i.article_id = r.article_id AND i.quantity_id = r.quantity_id
LEFT JOIN across p ON p.article_id = r.article_id AND p.quantity_id = r.quantity_id
LEFT JOIN beginnings h ON h.article_id = r.article_id AND h.quantity_id = r.quantity_id
LEFT JOIN beginnings t ON t.article_id = r.article_id AND t.quantity_id = r.restates_quantity_id
LEFT JOIN hedged g ON g.article_id = r.article_id AND g.quantity_id = r.quantity_id
LEFT JOIN (
  SELECT measure, min(unit) AS unit FROM measures GROUP BY measure
) u ON u.measure = r.measure
