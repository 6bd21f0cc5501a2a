-- Derived from schemas/ by `dateline suites`; write relations of your own under another name.
WITH versions AS (
  SELECT e.measure,
    min(lpad(split_part(e.added_in, '.', 1), 9, '0') || lpad(split_part(e.added_in, '.', 2), 9, '0') || lpad(split_part(e.added_in, '.', 3), 9, '0')) AS added,
    min(lpad(split_part(e.changed_in, '.', 1), 9, '0') || lpad(split_part(e.changed_in, '.', 2), 9, '0') || lpad(split_part(e.changed_in, '.', 3), 9, '0')) AS changed,
    min(lpad(split_part(nullif(h.version, '0.0.0'), '.', 1), 9, '0') || lpad(split_part(nullif(h.version, '0.0.0'), '.', 2), 9, '0') || lpad(split_part(nullif(h.version, '0.0.0'), '.', 3), 9, '0')) AS this
  FROM measures e
  CROSS JOIN release_facts h
  GROUP BY e.measure
)
SELECT
  r.measure,
  coalesce(translate(r.added_in, '0123456789', '') = '..', true) AND coalesce(translate(r.changed_in, '0123456789', '') = '..', true) AND (r.changed_in IS NULL OR r.added_in IS NOT NULL) AND coalesce(v.added <= v.this, true) AND coalesce(v.added < v.changed, true) AND coalesce(v.changed <= v.this, true) AS versions_follow
FROM measures r
LEFT JOIN versions v ON v.measure = r.measure
