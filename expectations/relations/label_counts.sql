-- Derived from schemas/ by `dateline suites`; write relations of your own under another name.
-- Drift: the limits of a p chart (Shewhart; NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.3.2): the share of a label
-- among n lies within 3 * sqrt(p * (1 - p) / n) of its share p in the release before. There p is (k + 1) / (n + 2), Laplace's
-- rule of succession, so that a label that never stood is rare and not impossible.
WITH each AS (
  SELECT table_name, column_name, label, n AS counted, 0 AS said, 0 AS earlier FROM counted_labels
  UNION ALL
  SELECT table_name, column_name, label, 0 AS counted, n AS said, 0 AS earlier FROM manifest_labels
  UNION ALL
  SELECT table_name, column_name, label, 0 AS counted, 0 AS said, n AS earlier FROM earlier_labels
),
summed AS (
  SELECT
    table_name, column_name, label,
    CAST(sum(counted) AS DOUBLE) AS counted, CAST(sum(said) AS DOUBLE) AS said, CAST(sum(earlier) AS DOUBLE) AS earlier
  FROM each
  GROUP BY table_name, column_name, label
),
shares AS (
  SELECT
    s.table_name, s.column_name, s.label, s.counted, s.said, t.n,
    s.counted / nullif(t.n, 0) AS share, t.earlier AS earlier_n, (s.earlier + 1) / (t.earlier + 2) AS p
  FROM summed s
  JOIN (
    SELECT table_name, column_name, sum(counted) AS n, sum(earlier) AS earlier FROM summed GROUP BY table_name, column_name
  ) t ON t.table_name = s.table_name AND t.column_name = s.column_name
)
SELECT
  table_name, column_name, label,
  counted = said AS as_manifest,
  CASE WHEN n > 0 AND earlier_n > 0 THEN abs(share - p) <= 3 * sqrt(p * (1 - p) / n) END AS steady
FROM shares
