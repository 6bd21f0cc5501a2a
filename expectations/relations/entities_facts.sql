-- Facts about entities.
WITH mentioned AS (
  SELECT article_id, entity_id, count(*) AS n, sum(CASE WHEN mention_type = 'PRO' THEN 0 ELSE 1 END) AS named
  FROM mentions
  GROUP BY article_id, entity_id
),
implied AS (
  SELECT article_id, item AS entity_id, count(*) AS n
  FROM attributions__source_entity_ids
  WHERE source_implicit
  GROUP BY article_id, item
),
listed AS (
  SELECT article_id, entity_id, max(CASE WHEN item = entity_id THEN 1 ELSE 0 END) AS itself
  FROM entities__member_entity_ids
  GROUP BY article_id, entity_id
),
in_article AS (
  SELECT article_id, kb, kb_id, count(DISTINCT entity_id) AS n
  FROM entities
  WHERE kb_id IS NOT NULL
  GROUP BY article_id, kb, kb_id
),
in_corpus AS (
  SELECT kb, kb_id, min(type) AS low, max(type) AS high,
    min(coalesce(iso3166_1, '')) AS low_country, max(coalesce(iso3166_1, '')) AS high_country
  FROM entities
  WHERE kb_id IS NOT NULL
  GROUP BY kb, kb_id
),
languages AS (
  SELECT article_id, min(language) AS language FROM articles GROUP BY article_id
),
names AS (
  SELECT e.kb, e.kb_id, a.language, min(e.canonical_name) AS low, max(e.canonical_name) AS high
  FROM entities e
  JOIN languages a ON a.article_id = e.article_id
  WHERE e.kb_id IS NOT NULL
  GROUP BY e.kb, e.kb_id, a.language
)
SELECT
  r.article_id,
  r.entity_id,
  -- entities-mentioned: what the text does not mention is outside knowledge; only an implicit source has no words.
  coalesce(m.n, 0) > 0 OR coalesce(i.n, 0) > 0 AS mentioned,
  -- entities-one-kb-id: two entities of an article with one kb_id are one entity.
  CASE WHEN r.kb_id IS NOT NULL THEN a.n = 1 END AS one_of_its_kb_id,
  -- entities-kb-type: a country in one article and a person in another cannot be one thing.
  CASE WHEN r.kb_id IS NOT NULL THEN c.low = c.high END AS one_type_of_kb_id,
  -- entities-pronoun-only: most such entities are unresolved anaphora; who is meant by a group's "we" its members say.
  CASE WHEN m.n > 0 AND l.itself IS NULL THEN m.named > 0 END AS named,
  -- entities-not-itself: nothing is a part, a member or an affiliate of itself.
  coalesce(r.part_of_entity_id <> r.entity_id, true)
    AND coalesce(r.affiliation_entity_id <> r.entity_id, true)
    AND coalesce(l.itself = 0, true) AS not_itself,
  -- entities-country: ISO 3166-1 codes countries, and a country is a place with a government.
  CASE WHEN r.iso3166_1 IS NOT NULL THEN coalesce(r.type = 'GPE', false) END AS country_is_gpe,
  -- entities-kb-country: a country has one code, and one entry in a knowledge base.
  coalesce(c.low_country = c.high_country, true) AND coalesce(n.low = n.high, true) AS one_country_of_kb_id,
  -- entities-kb-name: the full name of one thing, in one language; a person may have two, so a warning.
  CASE WHEN r.kb_id IS NOT NULL THEN k.low = k.high END AS one_name_of_kb_id
FROM entities r
LEFT JOIN mentioned m ON m.article_id = r.article_id AND m.entity_id = r.entity_id
LEFT JOIN implied i ON i.article_id = r.article_id AND i.entity_id = r.entity_id
LEFT JOIN listed l ON l.article_id = r.article_id AND l.entity_id = r.entity_id
LEFT JOIN in_article a ON a.article_id = r.article_id AND a.kb = r.kb AND a.kb_id = r.kb_id
LEFT JOIN in_corpus c ON c.kb = r.kb AND c.kb_id = r.kb_id
LEFT JOIN (
  SELECT kb, iso3166_1, min(kb_id) AS low, max(kb_id) AS high
  FROM entities
  WHERE iso3166_1 IS NOT NULL
  GROUP BY kb, iso3166_1
) n ON n.kb = r.kb AND n.iso3166_1 = r.iso3166_1
LEFT JOIN languages b ON b.article_id = r.article_id
LEFT JOIN names k ON k.kb = r.kb AND k.kb_id = r.kb_id AND k.language = b.language
