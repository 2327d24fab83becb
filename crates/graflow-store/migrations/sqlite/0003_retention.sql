-- What retention asks: which executions ended first, which segments still hold something, which deletions are
-- remembered.

CREATE INDEX execution_ended ON execution (end_time) WHERE end_time IS NOT NULL;

-- Events in each segment of the log that somebody may ask for.
CREATE TABLE segment (
    first_seq INTEGER PRIMARY KEY,
    alive     INTEGER NOT NULL
) STRICT;
INSERT INTO segment (first_seq, alive) SELECT segment, sum(count) FROM event_chunk GROUP BY segment;

-- When the tombstone was taken in; what was deleted before this column was there counts from now.
ALTER TABLE deleted ADD COLUMN received INTEGER NOT NULL DEFAULT 0;
UPDATE deleted SET received = unixepoch() * 1000000;
CREATE INDEX deleted_oldest ON deleted (received);
