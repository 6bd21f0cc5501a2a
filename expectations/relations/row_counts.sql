-- Derived from schemas/ by `dateline suites`; write relations of your own under another name.
SELECT
  coalesce(m.table_name, c.table_name) AS table_name,
  coalesce(m.split, c.split) AS split,
  coalesce(m.n, 0) = coalesce(c.n, 0) AS as_manifest
FROM manifest_rows m
FULL OUTER JOIN counted_rows c ON c.table_name = m.table_name AND c.split = m.split
