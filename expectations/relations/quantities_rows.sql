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
  WHERE table_name = 'quantities'
  GROUP BY article_id
),
number_span_held AS (
  SELECT i.article_id,
    i.quantity_id,
    i.position,
    max(CASE WHEN o.span_start <= i.span_start AND i.span_end <= o.span_end THEN 1 ELSE 0 END) AS held
  FROM quantities__number_span i
  LEFT JOIN quantities__spans o ON o.article_id = i.article_id
    AND o.quantity_id = i.quantity_id
  GROUP BY i.article_id, i.quantity_id, i.position
),
number_span_inside AS (
  SELECT article_id, quantity_id, min(held) AS held
  FROM number_span_held
  GROUP BY article_id, quantity_id
),
hedge_spans_held AS (
  SELECT i.article_id,
    i.quantity_id,
    i.position,
    max(CASE WHEN o.span_start <= i.span_start AND i.span_end <= o.span_end THEN 1 ELSE 0 END) AS held
  FROM quantities__hedge_spans i
  LEFT JOIN quantities__spans o ON o.article_id = i.article_id
    AND o.quantity_id = i.quantity_id
  GROUP BY i.article_id, i.quantity_id, i.position
),
hedge_spans_inside AS (
  SELECT article_id, quantity_id, min(held) AS held
  FROM hedge_spans_held
  GROUP BY article_id, quantity_id
),
known_measures AS (
  SELECT measure
  FROM measures
  GROUP BY measure
),
known_entities AS (
  SELECT article_id, entity_id
  FROM entities
  GROUP BY article_id, entity_id
),
known_times AS (
  SELECT article_id, time_id
  FROM times
  GROUP BY article_id, time_id
),
known_quantities AS (
  SELECT article_id, quantity_id
  FROM quantities
  GROUP BY article_id, quantity_id
),
spans_items AS (
  SELECT i.article_id,
    i.quantity_id,
    count(*) AS n,
    bool_and(coalesce(0 <= i.span_start AND i.span_start < i.span_end AND (a.n_code_points IS NULL OR i.span_end <= a.n_code_points) AND (i.before IS NULL OR i.before <= i.span_start), false)) AS fit,
    bool_and(CASE WHEN t.text IS NOT NULL AND 0 <= i.span_start AND i.span_start < i.span_end THEN coalesce(i.surface = substring(t.text, i.span_start + 1, i.span_end - i.span_start), false) END) AS quoted,
    bool_and(i.surface IS NULL OR coalesce(a.may_show, 0) = 1) AS silent
  FROM (SELECT article_id, quantity_id, span_start, span_end, surface, lag(span_end) OVER (PARTITION BY article_id, quantity_id ORDER BY position) AS before FROM quantities__spans) i
  LEFT JOIN article_of a ON a.article_id = i.article_id
  LEFT JOIN articles t ON t.article_id = i.article_id
  GROUP BY i.article_id, i.quantity_id
),
number_span_items AS (
  SELECT i.article_id,
    i.quantity_id,
    count(*) AS n,
    bool_and(coalesce(0 <= i.span_start AND i.span_start < i.span_end AND (a.n_code_points IS NULL OR i.span_end <= a.n_code_points) AND (i.before IS NULL OR i.before <= i.span_start), false)) AS fit,
    bool_and(CASE WHEN t.text IS NOT NULL AND 0 <= i.span_start AND i.span_start < i.span_end THEN coalesce(i.surface = substring(t.text, i.span_start + 1, i.span_end - i.span_start), false) END) AS quoted,
    bool_and(i.surface IS NULL OR coalesce(a.may_show, 0) = 1) AS silent
  FROM (SELECT article_id, quantity_id, span_start, span_end, surface, CAST(NULL AS INT) AS before FROM quantities__number_span) i
  LEFT JOIN article_of a ON a.article_id = i.article_id
  LEFT JOIN articles t ON t.article_id = i.article_id
  GROUP BY i.article_id, i.quantity_id
),
hedge_spans_items AS (
  SELECT i.article_id,
    i.quantity_id,
    count(*) AS n,
    bool_and(coalesce(0 <= i.span_start AND i.span_start < i.span_end AND (a.n_code_points IS NULL OR i.span_end <= a.n_code_points) AND (i.before IS NULL OR i.before <= i.span_start), false)) AS fit,
    bool_and(CASE WHEN t.text IS NOT NULL AND 0 <= i.span_start AND i.span_start < i.span_end THEN coalesce(i.surface = substring(t.text, i.span_start + 1, i.span_end - i.span_start), false) END) AS quoted,
    bool_and(i.surface IS NULL OR coalesce(a.may_show, 0) = 1) AS silent
  FROM (SELECT article_id, quantity_id, span_start, span_end, surface, lag(span_end) OVER (PARTITION BY article_id, quantity_id ORDER BY position) AS before FROM quantities__hedge_spans) i
  LEFT JOIN article_of a ON a.article_id = i.article_id
  LEFT JOIN articles t ON t.article_id = i.article_id
  GROUP BY i.article_id, i.quantity_id
)
SELECT
  r.article_id,
  r.quantity_id,
  a.article_id IS NOT NULL AS article_known,
  p.low = a.split AND p.high = a.split AS in_its_split,
  spans_all.fit AS spans_fit,
  spans_all.quoted AS spans_surface,
  spans_all.silent AS spans_withheld,
  coalesce(spans_all.n, 0) >= 1 AS spans_items,
  number_span_all.fit AS number_span_fit,
  number_span_all.quoted AS number_span_surface,
  number_span_all.silent AS number_span_withheld,
  number_span_inside.held = 1 AS number_span_within,
  hedge_spans_all.fit AS hedge_spans_fit,
  hedge_spans_all.quoted AS hedge_spans_surface,
  hedge_spans_all.silent AS hedge_spans_withheld,
  hedge_spans_inside.held = 1 AS hedge_spans_within,
  CASE WHEN r.measure IS NOT NULL THEN measure_to.measure IS NOT NULL END AS measure_resolves,
  CASE WHEN r.counted_entity_id IS NOT NULL THEN counted_entity_id_to.entity_id IS NOT NULL END AS counted_entity_id_resolves,
  CASE WHEN r.beneficiary_entity_id IS NOT NULL THEN beneficiary_entity_id_to.entity_id IS NOT NULL END AS beneficiary_entity_id_resolves,
  CASE WHEN r.payer_entity_id IS NOT NULL THEN payer_entity_id_to.entity_id IS NOT NULL END AS payer_entity_id_resolves,
  CASE WHEN r.place_entity_id IS NOT NULL THEN place_entity_id_to.entity_id IS NOT NULL END AS place_entity_id_resolves,
  CASE WHEN r.time_id IS NOT NULL THEN time_id_to.time_id IS NOT NULL END AS time_id_resolves,
  CASE WHEN r.subset_of_quantity_id IS NOT NULL THEN subset_of_quantity_id_to.quantity_id IS NOT NULL END AS subset_of_quantity_id_resolves,
  CASE WHEN r.restates_quantity_id IS NOT NULL THEN restates_quantity_id_to.quantity_id IS NOT NULL END AS restates_quantity_id_resolves,
  CASE WHEN r.retracts_quantity_id IS NOT NULL THEN retracts_quantity_id_to.quantity_id IS NOT NULL END AS retracts_quantity_id_resolves,
  (r.low IS NULL OR r.value IS NULL OR r.low <= r.value) AND (r.low IS NULL OR r.high IS NULL OR r.low <= r.high) AND (r.value IS NULL OR r.high IS NULL OR r.value <= r.high) AS low_value_high_ascending,
  CASE WHEN coalesce(r.comparator IN ('EXACT'), false) THEN r.value IS NOT NULL AND r.low IS NOT NULL AND r.high IS NOT NULL AND coalesce(r.low_closed = true, false) AND coalesce(r.high_closed = true, false) AND r.low IS NOT DISTINCT FROM r.value AND r.low IS NOT DISTINCT FROM r.high ELSE true END AS law_quantity_exact,
  CASE WHEN coalesce(r.comparator IN ('BARE', 'APPROX'), false) THEN r.value IS NOT NULL AND r.low IS NULL AND r.high IS NULL AND r.low_closed IS NULL AND r.high_closed IS NULL ELSE true END AS law_quantity_unbounded,
  CASE WHEN coalesce(r.comparator IN ('LE', 'LT'), false) THEN r.value IS NOT NULL AND r.high IS NOT NULL AND r.high_closed IS NOT NULL AND r.low IS NULL AND r.low_closed IS NULL AND r.value IS NOT DISTINCT FROM r.high ELSE true END AS law_quantity_upper,
  CASE WHEN coalesce(r.comparator IN ('GE', 'GT'), false) THEN r.value IS NOT NULL AND r.low IS NOT NULL AND r.low_closed IS NOT NULL AND r.high IS NULL AND r.high_closed IS NULL AND r.value IS NOT DISTINCT FROM r.low ELSE true END AS law_quantity_lower,
  (CASE WHEN coalesce(r.comparator IN ('LE'), false) THEN r.high_closed IS NULL OR coalesce(r.high_closed IN (true), false) ELSE true END) AND (CASE WHEN coalesce(r.comparator IN ('LT'), false) THEN r.high_closed IS NULL OR coalesce(r.high_closed IN (false), false) ELSE true END) AND (CASE WHEN coalesce(r.comparator IN ('GE'), false) THEN r.low_closed IS NULL OR coalesce(r.low_closed IN (true), false) ELSE true END) AND (CASE WHEN coalesce(r.comparator IN ('GT'), false) THEN r.low_closed IS NULL OR coalesce(r.low_closed IN (false), false) ELSE true END) AS law_quantity_closed,
  CASE WHEN coalesce(r.comparator IN ('RANGE'), false) THEN r.low IS NOT NULL AND r.high IS NOT NULL AND r.low_closed IS NOT NULL AND r.high_closed IS NOT NULL AND r.value IS NULL ELSE true END AS law_quantity_range,
  CASE WHEN coalesce(r.comparator IN ('VAGUE'), false) THEN r.value IS NULL AND r.low IS NULL AND r.high IS NULL AND r.low_closed IS NULL AND r.high_closed IS NULL AND r.number_span IS NULL ELSE true END AS law_quantity_vague,
  CASE WHEN coalesce(r.comparator IN ('APPROX'), false) THEN r.hedge_type IS NOT NULL ELSE r.hedge_type IS NULL END AS law_quantity_hedge,
  CASE WHEN coalesce(r.quantity_kind IN ('COUNT'), false) THEN ((r.value IS NULL OR r.value = floor(r.value)) AND (r.value IS NULL OR r.value >= 0)) AND ((r.low IS NULL OR r.low = floor(r.low)) AND (r.low IS NULL OR r.low >= 0)) AND ((r.high IS NULL OR r.high = floor(r.high)) AND (r.high IS NULL OR r.high >= 0)) ELSE true END AS law_quantity_count,
  CASE WHEN r.value IS NOT NULL OR r.low IS NOT NULL OR r.high IS NOT NULL THEN r.unit IS NOT NULL AND r.unit_system IS NOT NULL ELSE true END AS law_quantity_unit,
  CASE WHEN coalesce(r.unit_system IN ('ISO4217'), false) THEN r.unit IS NOT NULL AND (r.unit IS NULL OR (length(r.unit) > 0 AND regexp_replace(r.unit, '^[A-Z]{3}$', '') = '')) ELSE true END AS law_quantity_currency,
  CASE WHEN r.time_id IS NOT NULL THEN r.as_of_basis IS NOT NULL ELSE r.as_of_basis IS NULL END AS law_time_basis,
  coalesce(a.may_show, 0) = 1 OR (r.note IS NULL) AS columns_withheld
FROM quantities r
LEFT JOIN article_of a ON a.article_id = r.article_id
LEFT JOIN files_of p ON p.article_id = r.article_id
LEFT JOIN number_span_inside ON number_span_inside.article_id = r.article_id AND number_span_inside.quantity_id = r.quantity_id
LEFT JOIN hedge_spans_inside ON hedge_spans_inside.article_id = r.article_id AND hedge_spans_inside.quantity_id = r.quantity_id
LEFT JOIN known_measures measure_to ON measure_to.measure = r.measure
LEFT JOIN known_entities counted_entity_id_to ON counted_entity_id_to.article_id = r.article_id AND counted_entity_id_to.entity_id = r.counted_entity_id
LEFT JOIN known_entities beneficiary_entity_id_to ON beneficiary_entity_id_to.article_id = r.article_id AND beneficiary_entity_id_to.entity_id = r.beneficiary_entity_id
LEFT JOIN known_entities payer_entity_id_to ON payer_entity_id_to.article_id = r.article_id AND payer_entity_id_to.entity_id = r.payer_entity_id
LEFT JOIN known_entities place_entity_id_to ON place_entity_id_to.article_id = r.article_id AND place_entity_id_to.entity_id = r.place_entity_id
LEFT JOIN known_times time_id_to ON time_id_to.article_id = r.article_id AND time_id_to.time_id = r.time_id
LEFT JOIN known_quantities subset_of_quantity_id_to ON subset_of_quantity_id_to.article_id = r.article_id AND subset_of_quantity_id_to.quantity_id = r.subset_of_quantity_id
LEFT JOIN known_quantities restates_quantity_id_to ON restates_quantity_id_to.article_id = r.article_id AND restates_quantity_id_to.quantity_id = r.restates_quantity_id
LEFT JOIN known_quantities retracts_quantity_id_to ON retracts_quantity_id_to.article_id = r.article_id AND retracts_quantity_id_to.quantity_id = r.retracts_quantity_id
LEFT JOIN spans_items spans_all ON spans_all.article_id = r.article_id AND spans_all.quantity_id = r.quantity_id
LEFT JOIN number_span_items number_span_all ON number_span_all.article_id = r.article_id AND number_span_all.quantity_id = r.quantity_id
LEFT JOIN hedge_spans_items hedge_spans_all ON hedge_spans_all.article_id = r.article_id AND hedge_spans_all.quantity_id = r.quantity_id
