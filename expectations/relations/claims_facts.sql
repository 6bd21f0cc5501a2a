-- Facts about claims.
WITH number_pieces AS (
  SELECT c.article_id, c.claim_id, c.item, q.position,
    max(CASE WHEN s.span_start <= q.span_start AND q.span_end <= s.span_end THEN 1 ELSE 0 END) AS held
  FROM claims__quantity_ids c
  JOIN quantities__spans q ON q.article_id = c.article_id AND q.quantity_id = c.item
  LEFT JOIN attributions__content_spans s ON s.article_id = c.article_id AND s.attribution_id = c.attribution_id
  WHERE c.attribution_id IS NOT NULL
  GROUP BY c.article_id, c.claim_id, c.item, q.position
),
numbers AS (
  SELECT article_id, claim_id, min(held) AS held FROM number_pieces GROUP BY article_id, claim_id
),
event_pieces AS (
  SELECT c.article_id, c.claim_id, c.item, t.position,
    max(CASE WHEN s.span_start <= t.span_start AND t.span_end <= s.span_end THEN 1 ELSE 0 END) AS held
  FROM claims__event_ids c
  JOIN events__trigger_spans t ON t.article_id = c.article_id AND t.event_id = c.item
  LEFT JOIN attributions__content_spans s ON s.article_id = c.article_id AND s.attribution_id = c.attribution_id
  WHERE c.attribution_id IS NOT NULL
  GROUP BY c.article_id, c.claim_id, c.item, t.position
),
happenings AS (
  SELECT article_id, claim_id, min(held) AS held FROM event_pieces GROUP BY article_id, claim_id
),
parents AS (
  SELECT article_id, attribution_id, min(parent_attribution_id) AS parent
  FROM attributions
  GROUP BY article_id, attribution_id
),
links AS (
  SELECT article_id, claim_id, item, attribution_id,
    lag(item) OVER (PARTITION BY article_id, claim_id ORDER BY position) AS outer_one,
    lead(item) OVER (PARTITION BY article_id, claim_id ORDER BY position) AS inner_one
  FROM claims__attribution_chain
),
chains AS (
  SELECT k.article_id, k.claim_id, min(CASE
    WHEN p.parent IS DISTINCT FROM k.outer_one THEN 0
    WHEN k.inner_one IS NULL AND k.item IS DISTINCT FROM k.attribution_id THEN 0
    ELSE 1
  END) AS leads
  FROM links k
  LEFT JOIN parents p ON p.article_id = k.article_id AND p.attribution_id = k.item
  GROUP BY k.article_id, k.claim_id
),
estimands AS (
  SELECT c.estimand_id,
    count(DISTINCT a.group) AS n_groups,
    min(coalesce(c.parent_estimand_id, '')) AS low,
    max(coalesce(c.parent_estimand_id, '')) AS high
  FROM claims c
  JOIN articles a ON a.article_id = c.article_id
  WHERE c.estimand_id IS NOT NULL
  GROUP BY c.estimand_id
),
own_sources AS (
  SELECT article_id, claim_id, item FROM claims__source_entity_ids GROUP BY article_id, claim_id, item
),
their_sources AS (
  SELECT article_id, attribution_id, item FROM attributions__source_entity_ids GROUP BY article_id, attribution_id, item
),
expected_sources AS (
  SELECT c.article_id, c.claim_id, count(*) AS n, count(o.item) AS met
  FROM claims c
  JOIN their_sources t ON t.article_id = c.article_id AND t.attribution_id = c.attribution_id
  LEFT JOIN own_sources o ON o.article_id = c.article_id AND o.claim_id = c.claim_id AND o.item = t.item
  GROUP BY c.article_id, c.claim_id
),
given_sources AS (
  SELECT article_id, claim_id, count(*) AS n FROM own_sources GROUP BY article_id, claim_id
),
measured AS (
  SELECT c.estimand_id, min(q.measure) AS low, max(q.measure) AS high, min(q.unit) AS low_unit, max(q.unit) AS high_unit
  FROM claims__quantity_ids c
  JOIN quantities q ON q.article_id = c.article_id AND q.quantity_id = c.item
  WHERE c.estimand_id IS NOT NULL
  GROUP BY c.estimand_id
)
SELECT
  r.article_id,
  r.claim_id,
  -- claims-quantity-in-content: the source said no such number.
  n.held = 1 AS quantities_in_content,
  -- claims-event-in-content: the source said no such thing.
  h.held = 1 AS events_in_content,
  -- claims-chain: the chain says who relays whom, from the outermost attribution to the claim's own.
  k.leads = 1 AS chain_leads_there,
  -- claims-estimand-one-group: what is compared must share a split, so an estimand stays in one story.
  CASE WHEN r.estimand_id IS NOT NULL THEN e.n_groups = 1 END AS estimand_in_one_group,
  -- claims-estimand-one-parent: an estimand is a part of one other, or of none, whoever speaks of it.
  CASE WHEN r.estimand_id IS NOT NULL
    THEN e.low = e.high AND r.parent_estimand_id IS DISTINCT FROM r.estimand_id END AS estimand_has_one_parent,
  -- claims-sources: who claims is who the innermost attribution names, neither more nor fewer.
  x.n = x.met AND x.n = coalesce(y.n, 0) AS sources_of_attribution,
  -- claims-estimand-one-measure: an estimand is one measure of one population, place and time, so its numbers compare.
  u.low = u.high AND coalesce(u.low_unit = u.high_unit, true) AS estimand_has_one_measure,
  -- claims-estimand-parent: estimands are a forest, so a parent is somebody's estimand, and no part of its own part.
  CASE WHEN r.parent_estimand_id IS NOT NULL THEN d.estimand_id IS NOT NULL AND d.high <> r.estimand_id END AS parent_estimand_known,
  -- claims-proposition: where the text may be shown, the claim is said in a sentence. That of a withheld text is not known.
  CASE WHEN a.open = 1 THEN r.proposition IS NOT NULL END AS proposed
FROM claims r
LEFT JOIN numbers n ON n.article_id = r.article_id AND n.claim_id = r.claim_id
LEFT JOIN happenings h ON h.article_id = r.article_id AND h.claim_id = r.claim_id
LEFT JOIN chains k ON k.article_id = r.article_id AND k.claim_id = r.claim_id
LEFT JOIN estimands e ON e.estimand_id = r.estimand_id
LEFT JOIN expected_sources x ON x.article_id = r.article_id AND x.claim_id = r.claim_id
LEFT JOIN given_sources y ON y.article_id = r.article_id AND y.claim_id = r.claim_id
LEFT JOIN measured u ON u.estimand_id = r.estimand_id
LEFT JOIN estimands d ON d.estimand_id = r.parent_estimand_id
LEFT JOIN (
  SELECT article_id, min(CASE WHEN text_redistributable THEN 1 ELSE 0 END) AS open FROM articles GROUP BY article_id
) a ON a.article_id = r.article_id
