-- Everything here is derived from the log and can be thrown away: `rebuild` folds the log again.
-- Times and durations are whole microseconds. Ids that producers choose are text and stand once; everything else
-- refers to the small numbers given here.

-- How far the log has been taken in. One row, changed in the transaction of the rows it speaks of.
CREATE TABLE applied (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    segment  INTEGER NOT NULL,  -- first seq of the segment
    position INTEGER NOT NULL,  -- bytes from its start, behind the last record taken in
    next_seq INTEGER NOT NULL
) STRICT;

CREATE TABLE project (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE workflow (
    id      INTEGER PRIMARY KEY,
    project INTEGER NOT NULL,
    name    TEXT NOT NULL,
    UNIQUE (project, name)
) STRICT;

-- A task of a workflow.
CREATE TABLE task (
    id       INTEGER PRIMARY KEY,
    project  INTEGER NOT NULL,
    name     TEXT NOT NULL,
    workflow INTEGER NOT NULL,
    UNIQUE (project, name, workflow)
) STRICT;
CREATE INDEX task_of_workflow ON task (workflow);

CREATE TABLE execution (
    id           INTEGER PRIMARY KEY,
    project      INTEGER NOT NULL,
    execution_id TEXT NOT NULL,
    workflow     INTEGER NOT NULL,
    status       INTEGER NOT NULL,
    start_time   INTEGER NOT NULL,
    end_time     INTEGER,
    duration_us  INTEGER,
    trace_id     TEXT,
    fingerprint  TEXT,           -- of its own error
    search       TEXT NOT NULL,  -- what a text filter looks into, in lower case
    detail       TEXT NOT NULL,  -- the whole row, as JSON
    UNIQUE (project, execution_id)
) STRICT;
CREATE INDEX execution_newest ON execution (project, start_time DESC, status);
CREATE INDEX execution_by_status ON execution (project, status, start_time DESC);
CREATE INDEX execution_of_workflow ON execution (workflow, start_time DESC, status, duration_us, end_time);
CREATE INDEX execution_of_workflow_by_status ON execution (workflow, status, start_time DESC);
CREATE INDEX execution_of_trace ON execution (project, trace_id, start_time DESC) WHERE trace_id IS NOT NULL;
CREATE INDEX execution_failed ON execution (project, fingerprint) WHERE fingerprint IS NOT NULL;

CREATE TABLE label (
    project    INTEGER NOT NULL,
    name       TEXT NOT NULL,
    value      TEXT NOT NULL,
    start_time INTEGER NOT NULL,  -- of the execution, so that a page of them is a range of this table
    execution  INTEGER NOT NULL,
    PRIMARY KEY (project, name, value, start_time DESC, execution)
) STRICT, WITHOUT ROWID;
CREATE INDEX label_of_execution ON label (execution);

-- Clustered by execution: id = execution << 24 | ordinal, the ordinal being the place in which the execution's task
-- executions were first heard of.
CREATE TABLE task_execution (
    id                INTEGER PRIMARY KEY,
    task_execution_id TEXT NOT NULL,
    task              INTEGER NOT NULL,
    status            INTEGER NOT NULL,
    will_retry        INTEGER NOT NULL,
    iteration         INTEGER NOT NULL,
    attempt           INTEGER NOT NULL,
    sort_time         INTEGER NOT NULL,  -- when it began, or the nearest to it that is known
    queued_time       INTEGER,
    start_time        INTEGER,
    end_time          INTEGER,
    duration_us       INTEGER,
    duration_wall     INTEGER NOT NULL,  -- 1 = measured with wall clocks
    result_size       INTEGER,
    result_type       TEXT,
    result_hash       TEXT,
    fingerprint       TEXT,
    detail            TEXT               -- what most of them lack, as JSON
) STRICT;
CREATE INDEX task_history ON task_execution (task, sort_time DESC, status, will_retry, duration_us);
CREATE INDEX task_execution_by_id ON task_execution (task_execution_id);
CREATE INDEX task_execution_failed ON task_execution (fingerprint) WHERE fingerprint IS NOT NULL;

-- Where an execution's events stand in the log: one row per flush, execution and segment.
CREATE TABLE event_chunk (
    execution INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq  INTEGER NOT NULL,
    segment   INTEGER NOT NULL,
    count     INTEGER NOT NULL,
    events    BLOB NOT NULL,
    PRIMARY KEY (execution, first_seq)
) STRICT, WITHOUT ROWID;

-- Exactly-once: the numbers taken from each producer, and the ids of recent events that came without a number.
CREATE TABLE producer (
    project  INTEGER NOT NULL,
    name     TEXT NOT NULL,
    taken    BLOB NOT NULL,
    last_seq INTEGER NOT NULL,
    PRIMARY KEY (project, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE recent_event_ids (
    first_seq INTEGER PRIMARY KEY,
    received  INTEGER NOT NULL,  -- of the newest
    hashes    BLOB NOT NULL      -- 16 bytes each
) STRICT;

-- Executions that were deleted; later events of them are dropped.
CREATE TABLE deleted (
    project      INTEGER NOT NULL,
    execution_id TEXT NOT NULL,
    PRIMARY KEY (project, execution_id)
) STRICT, WITHOUT ROWID;
