"""From seed files to Parquet shards: index (what is there), plan (what goes where), shard (what one worker does)."""
