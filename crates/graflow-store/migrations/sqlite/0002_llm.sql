-- Sums over model calls, as JSON, where there were any: so that those of a workflow or a task can be added up
-- without reading every row. They stood in `detail` only.
ALTER TABLE execution ADD COLUMN llm TEXT;
UPDATE execution SET llm = detail ->> '$.llm' WHERE detail ->> '$.llm.calls' > 0;
CREATE INDEX execution_llm ON execution (project, workflow, start_time, llm) WHERE llm IS NOT NULL;

ALTER TABLE task_execution ADD COLUMN llm TEXT;
UPDATE task_execution SET llm = detail ->> '$.llm' WHERE detail ->> '$.llm.calls' > 0;
CREATE INDEX task_execution_llm ON task_execution (task, sort_time, llm) WHERE llm IS NOT NULL;
